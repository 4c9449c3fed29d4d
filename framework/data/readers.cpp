#include "framework/data/readers.h"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <algorithm>
#include <exception>
#include <mutex>

#include "framework/cpus.h"

namespace vitrine {
namespace {

// What the work on the first of the images that failed has thrown.
class Failure {
 public:
  void note(int64_t index) {
    const std::lock_guard lock(mutex_);
    if (error_ && index_ < index) return;
    index_ = index;
    error_ = std::current_exception();
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::mutex mutex_;
  int64_t index_ = 0;
  std::exception_ptr error_;
};

class Later : public Pending {
 public:
  Later(int64_t count, Readers::Work work) : count_(count), work_(std::move(work)) {}

  void wait() override {
    for (; next_ < count_; ++next_) work_(next_);
  }

 private:
  int64_t count_, next_ = 0;
  Readers::Work work_;
};

class UnderWay : public Pending {
 public:
  UnderWay(tbb::task_arena& arena, int64_t count, Readers::Work work)
      : arena_(arena), work_(std::move(work)) {
    arena_.enqueue(group_.defer([this, count] {
      tbb::parallel_for(int64_t{0}, count, [this](int64_t index) {
        try {
          work_(index);
        } catch (...) {
          failure_.note(index);
        }
      });
    }));
  }
  ~UnderWay() noexcept override {
    group_.cancel();
    join();
  }

  void wait() override {
    join();
    failure_.rethrow();
  }

 private:
  void join() {
    arena_.execute([this] { group_.wait(); });
  }

  tbb::task_arena& arena_;
  Readers::Work work_;
  Failure failure_;
  tbb::task_group group_;
};

}  // namespace

struct Readers::Arena {
  explicit Arena(int threads) : arena(threads) {}

  tbb::task_arena arena;
};

Readers::Readers(int threads) {
  // No more than can run: TBB would complain.
  const auto can_run = static_cast<int>(std::min<int64_t>(threads, allowed_cpus()));
  if (can_run > 1) arena_ = std::make_unique<Arena>(can_run);
}

Readers::~Readers() = default;

std::unique_ptr<Pending> Readers::start(int64_t count, Work work) const {
  if (!arena_) return std::make_unique<Later>(count, std::move(work));
  return std::make_unique<UnderWay>(arena_->arena, count, std::move(work));
}

}  // namespace vitrine
