#include "framework/kernel/kernel.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>

#include "framework/kernel/execution.h"
#include "framework/simd/vectors.h"

namespace vitrine {
namespace {

constexpr size_t kMostChunks = 32;
constexpr size_t kLongestGroup = 16;              // the same images whatever the lanes of a vector
constexpr size_t kRowsAtOnce = 256;               // that make a product of matrices worth it
constexpr size_t kNearMemory = size_t{16} << 20;  // bytes that a group keeps
constexpr size_t kSmallSums = size_t{4} << 20;    // floats

// What a batch is cut into: groups of images that are computed together, and chunks of groups whose
// gradients are summed in one buffer. It does not depend on the number of threads.
struct Portions {
  size_t batch, images, groups_each, groups, count;  // images a group, groups a chunk, chunks

  Portions(size_t batch, size_t images_each, size_t images_of_chunk)
      : batch(batch), images(images_each) {
    const auto rounded_up = [](size_t n, size_t by) { return (n + by - 1) / by; };
    groups = rounded_up(batch, images);
    const size_t least = rounded_up(images_of_chunk, images);
    groups_each = std::max(least, rounded_up(groups, kMostChunks));
    groups_each = rounded_up(groups_each, least) * least;
    count = rounded_up(groups, groups_each);
  }
  size_t first(size_t chunk) const { return chunk * groups_each; }
  size_t end(size_t chunk) const { return std::min(groups, first(chunk) + groups_each); }
  ImageGroup group(size_t index, const Feed& feed) const {
    return {&feed, index * images, std::min(images, batch - index * images)};
  }
};

Portions portions_of(size_t batch, MemoryLayout layout, size_t images) {
  return {batch, images, layout == MemoryLayout::kImages ? kLongestGroup : images};
}

}  // namespace

std::vector<bool> Binding::trained() const {
  std::vector<bool> out;
  for (const size_t gradient : gradients) out.push_back(gradient != kFrozen);
  return out;
}

const char* instruction_set() { return simd::target(); }

struct Kernel::Kept {
  VectorMemory memory;
  Prepared* prepared = nullptr;
};

Kernel::Kernel(Program program) : program_(std::move(program)) {
  has_columns_layout_ = true;
  for (const Step& step : program_.steps) {
    rows_ = std::max(rows_, step.shape.tokens);
    has_columns_layout_ =
        has_columns_layout_ && find_operation(step.operation).has_columns_layout();
  }
}
Kernel::~Kernel() = default;

// Vectors of as many images as they have lanes are the faster ones as long as what a group keeps
// stays near the core, and where there are images for the lanes: on a Xeon with AVX-512 by 2.9 at
// 3 MB (hidden_d 16), by 1.2 at 11 MB (64), by nothing at 25 MB (96); at 143 MB (784 tokens) rows
// of numbers are faster by 2.
MemoryLayout Kernel::layout_for(size_t batch, const ExecutionPlan& plan) const {
  if (forced_) return *forced_;
  if (!has_columns_layout_) return MemoryLayout::kImages;
  const size_t bytes = (plan.scratch + plan.kept) * simd::lanes() * sizeof(float);
  const bool fits = bytes <= kNearMemory;
  const bool fills = 2 * batch > simd::lanes();
  return fits && fills ? MemoryLayout::kImages : MemoryLayout::kColumns;
}

Kernel::Prepared& Kernel::prepare(Pass pass, size_t batch, const Binding& binding,
                                  const std::vector<bool>& begins) {
  const PlanOptions options{pass, binding.trained(), begins};
  const Prepared* known = nullptr;
  for (const auto& prepared : prepared_) {
    const bool is_it = prepared->options.pass == pass &&
                       prepared->options.trained == options.trained &&
                       prepared->options.begins == begins;
    if (!is_it) continue;
    known = prepared.get();
    if (prepared->layout == layout_for(batch, prepared->plan)) return *prepared;
  }
  auto made = std::make_unique<Prepared>();
  made->options = options;
  made->plan = known ? known->plan : make_plan(program_, options);
  made->layout = layout_for(batch, made->plan);
  if (made->layout == MemoryLayout::kImages) {
    made->unit = made->images = simd::lanes();
  } else {
    made->images = (kRowsAtOnce + rows_ - 1) / rows_;
  }
  prepared_.push_back(std::move(made));
  return *prepared_.back();
}

namespace {

template <class Threads>
void make_threads(Threads& threads, int count) {
  while (threads.size() < static_cast<size_t>(std::max(count, 1)))
    threads.push_back(std::make_unique<typename Threads::value_type::element_type>());
}

}  // namespace

void Kernel::forward(const Binding& binding, const Feed& feed, size_t batch, int threads,
                     const std::vector<float*>& outputs) {
  Prepared& prepared = prepare(Pass::kForward, batch, binding, {});
  make_threads(prepared.threads, threads);
  const Portions portions = portions_of(batch, prepared.layout, prepared.images);
  team_.run(portions.count, threads, [&](size_t chunk, size_t thread) {
    Execution run(program_, prepared, binding, *prepared.threads[thread], nullptr);
    for (size_t g = portions.first(chunk); g < portions.end(chunk); ++g)
      run.forward(portions.group(g, feed), outputs);
  });
}

void Kernel::train(const Binding& binding, const Feed& feed, size_t batch, int threads,
                   const std::vector<float*>& outputs, const std::vector<float>& seeds,
                   float* gradients) {
  std::vector<bool> begins;
  for (const float seed : seeds) begins.push_back(seed != 0);
  Prepared& prepared = prepare(Pass::kBoth, batch, binding, begins);
  make_threads(prepared.threads, threads);
  const Portions portions = portions_of(batch, prepared.layout, prepared.images);
  sum_over_chunks(portions.count, binding.gradient_count, threads, gradients,
                  [&](size_t chunk, size_t thread, float* sums) {
                    Execution run(program_, prepared, binding, *prepared.threads[thread], nullptr);
                    for (size_t g = portions.first(chunk); g < portions.end(chunk); ++g) {
                      const ImageGroup group = portions.group(g, feed);
                      run.forward(group, outputs);
                      run.seed(group, seeds);
                      run.backward(group, sums);
                    }
                  });
}

std::shared_ptr<Kernel::Kept> Kernel::forward_and_keep(const Binding& binding, const Feed& feed,
                                                       size_t batch, int threads,
                                                       const std::vector<float*>& outputs,
                                                       const std::vector<bool>& begins) {
  Prepared& prepared = prepare(Pass::kSeparate, batch, binding, begins);
  make_threads(prepared.threads, threads);
  auto kept = std::make_shared<Kept>();
  kept->prepared = &prepared;
  const size_t size = prepared.floats(prepared.plan.kept);
  const Portions portions = portions_of(batch, prepared.layout, prepared.images);
  kept->memory.reserve(std::max<size_t>(size * portions.groups, 1));
  team_.run(portions.count, threads, [&](size_t chunk, size_t thread) {
    for (size_t g = portions.first(chunk); g < portions.end(chunk); ++g) {
      Execution run(program_, prepared, binding, *prepared.threads[thread],
                    kept->memory.at(g * size));
      run.forward(portions.group(g, feed), outputs);
    }
  });
  return kept;
}

void Kernel::backward(const Binding& binding, const Feed& feed, size_t batch, int threads,
                      const Kept& kept, const std::vector<const float*>& gradients_by,
                      float* gradients) {
  Prepared& prepared = *kept.prepared;
  make_threads(prepared.threads, threads);
  const size_t size = prepared.floats(prepared.plan.kept);
  const Portions portions = portions_of(batch, prepared.layout, prepared.images);
  sum_over_chunks(portions.count, binding.gradient_count, threads, gradients,
                  [&](size_t chunk, size_t thread, float* sums) {
                    for (size_t g = portions.first(chunk); g < portions.end(chunk); ++g) {
                      Execution run(program_, prepared, binding, *prepared.threads[thread],
                                    kept.memory.at(g * size));
                      const ImageGroup group = portions.group(g, feed);
                      run.seed(group, gradients_by);
                      run.backward(group, sums);
                    }
                  });
}

// Sums are added in the order of the chunks, whoever is done first.
void Kernel::sum_over_chunks(size_t chunks, size_t count, int threads, float* gradients,
                             const ChunkWork& work) {
  if (chunks == 0) return static_cast<void>(std::memset(gradients, 0, count * sizeof(float)));
  if (chunks * count <= kSmallSums) {
    partial_.reserve(count * chunks);
    team_.run(chunks, threads, [&](size_t chunk, size_t thread) {
      float* sums = partial_.at(chunk * count);
      std::memset(sums, 0, count * sizeof(float));
      work(chunk, thread, sums);
    });
    constexpr size_t kSlice = 4096;
    team_.run((count + kSlice - 1) / kSlice, threads, [&](size_t slice, size_t) {
      const size_t begin = slice * kSlice, end = std::min(count, begin + kSlice);
      std::memcpy(gradients + begin, partial_.at(begin), (end - begin) * sizeof(float));
      for (size_t chunk = 1; chunk < chunks; ++chunk)
        simd::add(partial_.at(chunk * count) + begin, end - begin, gradients + begin);
    });
    return;
  }
  // Of a large model there is a buffer a thread: each chunk waits for its turn. They are handed out
  // in order, so none waits long.
  const auto workers = static_cast<size_t>(std::max(threads, 1));
  partial_.reserve(count * workers);
  std::mutex mutex;
  std::condition_variable turn;
  size_t next = 0, added = 0;
  team_.run(workers, threads, [&](size_t, size_t thread) {
    float* sums = partial_.at(thread * count);
    for (;;) {
      std::unique_lock lock(mutex);
      const size_t chunk = next++;
      lock.unlock();
      if (chunk >= chunks) return;
      std::memset(sums, 0, count * sizeof(float));
      work(chunk, thread, sums);
      lock.lock();
      turn.wait(lock, [&] { return added == chunk; });
      lock.unlock();
      if (chunk == 0) {
        std::memcpy(gradients, sums, count * sizeof(float));
      } else {
        simd::add(sums, count, gradients);
      }
      lock.lock();
      ++added;
      turn.notify_all();
    }
  });
}

}  // namespace vitrine
