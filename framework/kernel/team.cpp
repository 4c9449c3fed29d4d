#include "framework/kernel/team.h"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>

#include "framework/cpus.h"

namespace vitrine {

struct Team::Arena {
  explicit Arena(int threads) : arena(threads) {}

  tbb::task_arena arena;
  tbb::affinity_partitioner same_threads;  // what one call left in a core's cache, the next finds
};

Team::Team() = default;
Team::~Team() = default;

void Team::run(size_t count, int threads, const Work& work) {
  // Of more than can run TBB would complain on standard error.
  threads = static_cast<int>(std::min<int64_t>(threads, allowed_cpus()));
  if (threads <= 1 || count == 1) {
    for (size_t i = 0; i < count; ++i) work(i, 0);
    return;
  }
  if (!arena_ || arena_->arena.max_concurrency() != threads) arena_.reset(new Arena(threads));
  const auto run_range = [&](const tbb::blocked_range<size_t>& range) {
    const auto thread = static_cast<size_t>(tbb::this_task_arena::current_thread_index());
    for (size_t i = range.begin(); i < range.end(); ++i) work(i, thread);
  };
  arena_->arena.execute([&] {
    tbb::parallel_for(tbb::blocked_range<size_t>(0, count, 1), run_range, arena_->same_threads);
  });
}

}  // namespace vitrine
