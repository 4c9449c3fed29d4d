#include "framework/kernel/kernel.h"

#include <algorithm>
#include <cstring>

#include "framework/kernel/execution.h"
#include "framework/simd/vectors.h"

namespace vitrine {
namespace {

constexpr size_t kMostChunks = 32;                // one after the other
constexpr size_t kMostOfTree = 1024;              // chunks
constexpr size_t kLongestGroup = 16;              // the same images whatever the lanes of a vector
constexpr size_t kRowsAtOnce = 256;               // that make a product of matrices worth it
constexpr size_t kNearMemory = size_t{16} << 20;  // bytes that a group keeps

}  // namespace

// What a batch is cut into: groups of images that are computed together, and chunks of groups whose
// gradients are summed in one buffer. It depends neither on the number of threads nor on that of
// processes, each of which has neighbouring chunks.
struct Kernel::Portions {
  size_t batch, images, groups_each, groups;  // images a group, groups a chunk
  std::vector<size_t> starts;                 // the first chunk of each process; then their number
  Chunks chunks;

  Portions(size_t batch, size_t images_each, size_t images_of_chunk, const Sharing* sharing)
      : batch(batch), images(images_each) {
    const auto rounded_up = [](size_t n, size_t by) { return (n + by - 1) / by; };
    groups = rounded_up(batch, images);
    // A large batch can serve many processes.
    chunks.is_tree = batch > kMostChunks * kLongestGroup;
    if (chunks.is_tree) images_of_chunk = std::max(images_of_chunk, kLongestGroup);
    const size_t least = rounded_up(images_of_chunk, images);
    const size_t most = chunks.is_tree ? kMostOfTree : kMostChunks;
    groups_each = std::max(least, rounded_up(groups, most));
    groups_each = rounded_up(groups_each, least) * least;
    chunks.count = rounded_up(groups, groups_each);
    const size_t processes = sharing ? sharing->count() : 1, own = sharing ? sharing->index() : 0;
    for (size_t i = 0; i <= processes; ++i) starts.push_back(chunks.count * i / processes);
    chunks.first = starts[own];
    chunks.end = starts[own + 1];
    chunks.starts = starts.data();
  }
  Portions(const Portions&) = delete;
  Portions& operator=(const Portions&) = delete;

  size_t first(size_t chunk) const { return std::min(groups, chunk * groups_each); }
  size_t end(size_t chunk) const { return first(chunk + 1); }
  size_t own_groups() const { return first(chunks.end) - first(chunks.first); }
  // The images of a process.
  size_t first_image(size_t process) const {
    return std::min(batch, first(starts[process]) * images);
  }
  ImageGroup group(size_t index, const Feed& feed) const {
    return {&feed, index * images, std::min(images, batch - index * images)};
  }
};

Kernel::Portions Kernel::portions_of(size_t batch, const Prepared& prepared) const {
  const bool by_images = prepared.layout == MemoryLayout::kImages;
  return {batch, prepared.images, by_images ? kLongestGroup : prepared.images, sharing_};
}

// Lets all processes have what each has computed.
void Kernel::gather(const Portions& portions, const std::vector<float*>& outputs) {
  if (!sharing_) return;
  std::vector<size_t> sizes;  // floats of an image
  size_t size = 0;
  for (size_t i = 0; i < outputs.size(); ++i) {
    sizes.push_back(outputs[i] ? program_.steps[program_.outputs[i]].shape.size() : 0);
    size += sizes.back();
  }
  std::vector<size_t> starts;
  for (size_t i = 0; i <= sharing_->count(); ++i)
    starts.push_back(portions.first_image(i) * size * sizeof(float));
  std::vector<float> all(portions.batch * size);
  // A process' outputs lie one behind the other.
  const auto move = [&](size_t process, const auto& copy) {
    const size_t first = portions.first_image(process);
    const size_t count = portions.first_image(process + 1) - first;
    float* at = all.data() + first * size;
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (sizes[i] == 0) continue;
      copy(outputs[i] + first * sizes[i], at, count * sizes[i] * sizeof(float));
      at += count * sizes[i];
    }
  };
  move(sharing_->index(), [](float* output, float* at, size_t n) { std::memcpy(at, output, n); });
  sharing_->gather(all.data(), starts);
  for (size_t i = 0; i < sharing_->count(); ++i) {
    if (i != sharing_->index())
      move(i, [](float* output, float* at, size_t n) { std::memcpy(output, at, n); });
  }
}

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
MemoryLayout Kernel::layout_for(size_t batch, size_t elements) const {
  if (forced_) return *forced_;
  if (!has_columns_layout_) return MemoryLayout::kImages;
  const size_t bytes = elements * simd::lanes() * sizeof(float);
  const bool fits = bytes <= kNearMemory;
  const bool fills = 2 * batch > simd::lanes();
  return fits && fills ? MemoryLayout::kImages : MemoryLayout::kColumns;
}

Kernel::Prepared& Kernel::prepare(Pass pass, size_t batch, const Binding& binding,
                                  const std::vector<bool>& begins) {
  const PlanOptions options{pass, binding.trained(), begins};
  for (const auto& prepared : prepared_) {
    const bool is_it = prepared->options.pass == pass &&
                       prepared->options.trained == options.trained &&
                       prepared->options.begins == begins;
    if (is_it && prepared->layout == layout_for(batch, prepared->elements)) return *prepared;
  }
  auto made = std::make_unique<Prepared>();
  made->options = options;
  made->plan = make_plan(program_, options);
  made->elements = made->plan.scratch + made->plan.kept;
  made->layout = layout_for(batch, made->elements);
  if (made->layout == MemoryLayout::kImages) {
    made->unit = made->images = simd::lanes();
    space_rows(made->plan, pass, made->unit);
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
  const Portions portions = portions_of(batch, prepared);
  const Chunks& chunks = portions.chunks;
  team_.run(chunks.end - chunks.first, threads, [&](size_t i, size_t thread) {
    const size_t chunk = chunks.first + i;
    Execution run(program_, prepared, binding, *prepared.threads[thread], nullptr);
    for (size_t g = portions.first(chunk); g < portions.end(chunk); ++g)
      run.forward(portions.group(g, feed), outputs);
  });
  gather(portions, outputs);
}

void Kernel::train(const Binding& binding, const Feed& feed, size_t batch, int threads,
                   const std::vector<float*>& outputs, const std::vector<float>& seeds,
                   float* gradients) {
  std::vector<bool> begins;
  for (const float seed : seeds) begins.push_back(seed != 0);
  Prepared& prepared = prepare(Pass::kBoth, batch, binding, begins);
  make_threads(prepared.threads, threads);
  const Portions portions = portions_of(batch, prepared);
  sums_.add_up(portions.chunks, binding.gradient_count, threads, sharing_, gradients,
               [&](size_t chunk, size_t thread, float* sums) {
                 Execution run(program_, prepared, binding, *prepared.threads[thread], nullptr);
                 for (size_t g = portions.first(chunk); g < portions.end(chunk); ++g) {
                   const ImageGroup group = portions.group(g, feed);
                   run.forward(group, outputs);
                   run.seed(group, seeds);
                   run.backward(group, sums);
                 }
               });
  gather(portions, outputs);
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
  const Portions portions = portions_of(batch, prepared);
  const Chunks& chunks = portions.chunks;
  kept->memory.reserve(std::max<size_t>(size * portions.own_groups(), 1));
  const size_t first = portions.first(chunks.first);
  team_.run(chunks.end - chunks.first, threads, [&](size_t i, size_t thread) {
    const size_t chunk = chunks.first + i;
    for (size_t g = portions.first(chunk); g < portions.end(chunk); ++g) {
      Execution run(program_, prepared, binding, *prepared.threads[thread],
                    kept->memory.at((g - first) * size));
      run.forward(portions.group(g, feed), outputs);
    }
  });
  gather(portions, outputs);
  return kept;
}

void Kernel::backward(const Binding& binding, const Feed& feed, size_t batch, int threads,
                      const Kept& kept, const std::vector<const float*>& gradients_by,
                      float* gradients) {
  Prepared& prepared = *kept.prepared;
  make_threads(prepared.threads, threads);
  const size_t size = prepared.floats(prepared.plan.kept);
  const Portions portions = portions_of(batch, prepared);
  const size_t first = portions.first(portions.chunks.first);
  sums_.add_up(portions.chunks, binding.gradient_count, threads, sharing_, gradients,
               [&](size_t chunk, size_t thread, float* sums) {
                 for (size_t g = portions.first(chunk); g < portions.end(chunk); ++g) {
                   Execution run(program_, prepared, binding, *prepared.threads[thread],
                                 kept.memory.at((g - first) * size));
                   const ImageGroup group = portions.group(g, feed);
                   run.seed(group, gradients_by);
                   run.backward(group, sums);
                 }
               });
}

}  // namespace vitrine
