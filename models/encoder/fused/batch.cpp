#include "models/encoder/fused/batch.h"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "framework/memory.h"

namespace vitrine::fused {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kMostChunks = 32;
constexpr size_t kLongestGroup = 16;

// Consecutive groups whose gradients are summed in one buffer: the same images whatever the length
// of a group.
struct Chunks {
  size_t groups, groups_each, count;

  explicit Chunks(size_t batch) {
    const auto rounded_up = [](size_t n, size_t by) { return (n + by - 1) / by; };
    const size_t images =
        kLongestGroup * std::max<size_t>(1, rounded_up(batch, kLongestGroup * kMostChunks));
    groups = rounded_up(batch, group_size());
    groups_each = images / group_size();
    count = rounded_up(groups, groups_each);
  }
  size_t first(size_t chunk) const { return chunk * groups_each; }
  size_t end(size_t chunk) const { return std::min(groups, first(chunk) + groups_each); }
};

Group group_of(size_t index, size_t batch, float* state, float* scratch) {
  const size_t first = index * group_size();
  return {first, std::min(group_size(), batch - first), state, scratch};
}

}  // namespace

struct Batches::Team {
  explicit Team(int threads) : arena(threads) {}

  tbb::task_arena arena;
  tbb::affinity_partitioner same_threads;  // what one call left in a core's cache, the next finds
};

Batches::Batches() = default;
Batches::~Batches() = default;

void Memory::reserve(size_t floats) {
  if (floats <= size_) return;
  memory_.reset();
  const size_t bytes = (floats * sizeof(float) + kAlignment - 1) / kAlignment * kAlignment;
  memory_.reset(static_cast<float*>(std::aligned_alloc(kAlignment, bytes)));
  if (!memory_) throw std::bad_alloc();
  use_huge_pages(memory_.get(), bytes);
  size_ = floats;
}

void Memory::Free::operator()(float* p) const { std::free(p); }

void Batches::in_parallel(size_t count, int threads, const Run& run) {
  if (threads <= 1 || count == 1) {
    for (size_t i = 0; i < count; ++i) run(i, 0);
    return;
  }
  if (!team_ || team_->arena.max_concurrency() != threads) team_.reset(new Team(threads));
  const auto run_range = [&](const tbb::blocked_range<size_t>& range) {
    const auto thread = static_cast<size_t>(tbb::this_task_arena::current_thread_index());
    for (size_t i = range.begin(); i < range.end(); ++i) run(i, thread);
  };
  team_->arena.execute([&] {
    tbb::parallel_for(tbb::blocked_range<size_t>(0, count, 1), run_range, team_->same_threads);
  });
}

void Batches::forward(const Network& network, const Input& input, size_t batch, int threads,
                      float* pooled, Memory* kept) {
  const size_t state = group_state(network).size * group_size();
  const size_t scratch = scratch_of(network).size * group_size();
  const Chunks chunks(batch);
  const size_t own = scratch + (kept ? 0 : state);  // of a thread
  scratch_.reserve(own * static_cast<size_t>(std::max(threads, 1)));
  if (kept) kept->reserve(state * chunks.groups);
  in_parallel(chunks.count, threads, [&](size_t chunk, size_t thread) {
    float* mine = scratch_.at(thread * own);
    for (size_t g = chunks.first(chunk); g < chunks.end(chunk); ++g) {
      float* at = kept ? kept->at(g * state) : mine + scratch;
      fused::forward(network, input, group_of(g, batch, at, mine), pooled);
    }
  });
}

void Batches::backward(const Network& network, const Input& input, size_t batch, int threads,
                       const Memory& kept, const float* pooled_gradients, float* gradients,
                       float* token_gradients) {
  const size_t state = group_state(network).size * group_size();
  const size_t scratch = scratch_of(network).size * group_size();
  const size_t count = network.gradient_count;
  const Chunks chunks(batch);
  scratch_.reserve(scratch * static_cast<size_t>(std::max(threads, 1)));
  partial_.reserve(count * chunks.count);
  in_parallel(chunks.count, threads, [&](size_t chunk, size_t thread) {
    float* sums = partial_.at(chunk * count);
    std::memset(sums, 0, count * sizeof(float));
    // Backwards: the group that forward ended with is still in the cache.
    for (size_t g = chunks.end(chunk); g-- > chunks.first(chunk);) {
      fused::backward(network, input,
                      group_of(g, batch, kept.at(g * state), scratch_.at(thread * scratch)),
                      pooled_gradients, sums, token_gradients);
    }
  });
  constexpr size_t kSlice = 4096;
  in_parallel((count + kSlice - 1) / kSlice, threads, [&](size_t slice, size_t) {
    const size_t begin = slice * kSlice, end = std::min(count, begin + kSlice);
    std::memcpy(gradients + begin, partial_.at(begin), (end - begin) * sizeof(float));
    for (size_t chunk = 1; chunk < chunks.count; ++chunk) {
      const float* sums = partial_.at(chunk * count);
      for (size_t i = begin; i < end; ++i) gradients[i] += sums[i];
    }
  });
}

}  // namespace vitrine::fused
