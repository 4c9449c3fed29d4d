#include "framework/kernel/kernel.h"

#include <algorithm>
#include <cstring>

#include "framework/simd/vectors.h"

namespace vitrine {
namespace {

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
    groups = rounded_up(batch, simd::lanes());
    groups_each = images / simd::lanes();
    count = rounded_up(groups, groups_each);
  }
  size_t first(size_t chunk) const { return chunk * groups_each; }
  size_t end(size_t chunk) const { return std::min(groups, first(chunk) + groups_each); }
};

ImageGroup group_of(size_t index, size_t batch, const Feed& feed) {
  const size_t first = index * simd::lanes();
  return {&feed, first, std::min(simd::lanes(), batch - first)};
}

// One action with its operands where they lie.
struct Bound {
  Action::Kind kind;
  const Operation* operation;
  std::vector<Call::Operand> inputs;
  std::vector<Call::Parameter> parameters;
  std::vector<size_t> gradients;  // of the parameters, among all; kFrozen: none
  Call call;
};

}  // namespace

std::vector<bool> Binding::trained() const {
  std::vector<bool> out;
  for (const size_t gradient : gradients) out.push_back(gradient != kFrozen);
  return out;
}

const char* instruction_set() { return simd::target(); }

// A plan, and the actions of each thread over its own memory.
struct Kernel::Prepared {
  Pass pass;
  PlanOptions options;
  ExecutionPlan plan;
  struct Thread {
    VectorMemory memory;
    const float* kept = nullptr;  // what `calls` are bound to
    std::vector<const float*> values;
    std::vector<Bound> forward, backward;
  };
  std::vector<std::unique_ptr<Thread>> threads;
};

struct Kernel::Kept {
  VectorMemory memory;
  Prepared* prepared = nullptr;
};

// What one call of the kernel does with one thread's memory.
class Kernel::Run {
 public:
  Run(Kernel& kernel, Prepared& prepared, const Binding& binding, Prepared::Thread& thread,
      float* kept)
      : program_(kernel.program_), prepared_(prepared), binding_(binding), thread_(thread) {
    const size_t lanes = simd::lanes();
    const bool moved = thread.memory.reserve(prepared.plan.scratch * lanes);
    kept_ = kept;
    if (moved || thread.forward.empty() || thread.kept != kept || thread.values != binding.values)
      bind();
  }

  void forward(const ImageGroup& group, const std::vector<float*>& outputs) {
    for (Bound& bound : thread_.forward) {
      bound.call.group = group;
      bound.operation->forward(bound.call);
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!outputs[i]) continue;
      const Shape& shape = program_.steps[program_.outputs[i]].shape;
      const Matrix from = matrix(prepared_.plan.outputs[i]);
      for (size_t t = 0; t < shape.tokens; ++t) {
        simd::collect(from.at + t * from.row * simd::lanes(), shape.columns, group.count,
                      shape.size(), outputs[i] + group.first * shape.size() + t * shape.columns);
      }
    }
  }

  // Sets the gradients by the outputs to the same number for each image; lanes without an image
  // have none, so nothing of theirs is added anywhere.
  void seed(const ImageGroup& group, const std::vector<float>& seeds) {
    for (size_t i = 0; i < seeds.size(); ++i) {
      const Spot& spot = prepared_.plan.output_gradients[i];
      if (spot.exists()) fill(i, group, [&](size_t, size_t) { return seeds[i]; });
    }
  }
  void seed(const ImageGroup& group, const std::vector<const float*>& gradients_by) {
    for (size_t i = 0; i < gradients_by.size(); ++i) {
      const Spot& spot = prepared_.plan.output_gradients[i];
      if (!spot.exists()) continue;
      const size_t size = program_.steps[program_.outputs[i]].shape.size();
      const float* from = gradients_by[i] + group.first * size;
      fill(i, group, [&](size_t lane, size_t element) { return from[lane * size + element]; });
    }
  }

  void backward(const ImageGroup& group, float* gradients) {
    for (Bound& bound : thread_.backward) {
      Call& call = bound.call;
      switch (bound.kind) {
        case Action::Kind::kZero:
          std::memset(call.output.gradient.at, 0,
                      call.output.shape.columns * simd::lanes() * sizeof(float));
          break;
        case Action::Kind::kPass:
          pass(call);
          break;
        case Action::Kind::kAgain:
          call.group = group;
          bound.operation->forward(call);
          break;
        default:
          call.group = group;
          for (size_t p = 0; p < bound.parameters.size(); ++p) {
            if (bound.gradients[p] != Binding::kFrozen)
              bound.parameters[p].gradient = gradients + bound.gradients[p];
          }
          bound.operation->backward(call);
      }
    }
  }

 private:
  Matrix matrix(const Spot& spot) const {
    if (!spot.exists()) return {};
    const ExecutionPlan::Buffer& buffer = prepared_.plan.buffers[spot.buffer];
    float* start = buffer.is_kept ? kept_ : thread_.memory.at(0);
    return {start + (buffer.offset + spot.offset) * simd::lanes(), spot.row};
  }
  Call::Operand operand(const Action::Operand& from) const {
    return {from.shape, matrix(from.value), matrix(from.gradient), from.adds};
  }

  template <class Value>
  void fill(size_t output, const ImageGroup& group, const Value& value) const {
    const Shape& shape = program_.steps[program_.outputs[output]].shape;
    const Matrix to = matrix(prepared_.plan.output_gradients[output]);
    const size_t lanes = simd::lanes();
    for (size_t t = 0; t < shape.tokens; ++t) {
      for (size_t c = 0; c < shape.columns; ++c) {
        float* at = to.at + (t * to.row + c) * lanes;
        for (size_t lane = 0; lane < lanes; ++lane)
          at[lane] = lane < group.count ? value(lane, t * shape.columns + c) : 0;
      }
    }
  }

  static void pass(const Call& call) {
    const Matrix &from = call.output.gradient, &to = call.inputs[0].gradient;
    const size_t lanes = simd::lanes();
    for (size_t t = 0; t < call.output.shape.tokens; ++t) {
      const float* source = from.at + t * from.row * lanes;
      float* target = to.at + t * to.row * lanes;
      const size_t n = call.output.shape.columns * lanes;
      if (call.inputs[0].adds) {
        simd::add(source, n, target);
      } else {
        std::memcpy(target, source, n * sizeof(float));
      }
    }
  }

  void bind() {
    thread_.kept = kept_;
    thread_.values = binding_.values;
    bind(prepared_.plan.forward, thread_.forward);
    bind(prepared_.plan.backward, thread_.backward);
  }
  void bind(const std::vector<Action>& actions, std::vector<Bound>& out) const {
    out.clear();
    out.resize(actions.size());
    for (size_t i = 0; i < actions.size(); ++i) bind(actions[i], out[i]);
  }
  void bind(const Action& action, Bound& out) const {
    const Step& step = program_.steps[action.step];
    const bool computes = action.kind != Action::Kind::kZero && action.kind != Action::Kind::kPass;
    out.kind = action.kind;
    out.operation = &find_operation(step.operation);
    for (const Action::Operand& input : action.inputs) out.inputs.push_back(operand(input));
    for (size_t p = 0; computes && p < step.parameters.size(); ++p) bind(step.parameters[p], out);
    out.call.inputs = out.inputs;
    out.call.output = operand(action.output);
    out.call.addend = matrix(action.addend);
    out.call.parameters = out.parameters;
    out.call.numbers = step.numbers;
    out.call.saved = matrix(action.saved).at;
    out.call.scratch = matrix(action.scratch).at;
    out.call.again = action.kind == Action::Kind::kAgain;
  }
  void bind(const ParameterUse& use, Bound& out) const {
    out.parameters.emplace_back();
    out.gradients.push_back(Binding::kFrozen);
    if (use.index == ParameterUse::kNone) return;
    size_t row = 1;  // floats
    const auto& sizes = program_.parameters[use.index].sizes;
    for (size_t d = 1; d < sizes.size(); ++d) row *= sizes[d];
    out.parameters.back().values = binding_.values[use.index] + use.first * row;
    if (binding_.gradients[use.index] != Binding::kFrozen)
      out.gradients.back() = binding_.gradients[use.index] + use.first * row;
  }

  const Program& program_;
  Prepared& prepared_;
  const Binding& binding_;
  Prepared::Thread& thread_;
  float* kept_ = nullptr;
};

Kernel::Kernel(Program program) : program_(std::move(program)) {}
Kernel::~Kernel() = default;

Kernel::Prepared& Kernel::prepare(Pass pass, const Binding& binding,
                                  const std::vector<bool>& begins) {
  const PlanOptions options{pass, binding.trained(), begins};
  for (const auto& prepared : prepared_) {
    if (prepared->options.pass == pass && prepared->options.trained == options.trained &&
        prepared->options.begins == begins) {
      return *prepared;
    }
  }
  auto made = std::make_unique<Prepared>();
  made->pass = pass;
  made->options = options;
  made->plan = make_plan(program_, options);
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
  Prepared& prepared = prepare(Pass::kForward, binding, {});
  make_threads(prepared.threads, threads);
  const Chunks chunks(batch);
  team_.run(chunks.count, threads, [&](size_t chunk, size_t thread) {
    Run run(*this, prepared, binding, *prepared.threads[thread], nullptr);
    for (size_t g = chunks.first(chunk); g < chunks.end(chunk); ++g)
      run.forward(group_of(g, batch, feed), outputs);
  });
}

void Kernel::train(const Binding& binding, const Feed& feed, size_t batch, int threads,
                   const std::vector<float*>& outputs, const std::vector<float>& seeds,
                   float* gradients) {
  std::vector<bool> begins;
  for (const float seed : seeds) begins.push_back(seed != 0);
  Prepared& prepared = prepare(Pass::kBoth, binding, begins);
  make_threads(prepared.threads, threads);
  const Chunks chunks(batch);
  const size_t count = binding.gradient_count;
  partial_.reserve(count * chunks.count);
  team_.run(chunks.count, threads, [&](size_t chunk, size_t thread) {
    float* sums = partial_.at(chunk * count);
    std::memset(sums, 0, count * sizeof(float));
    Run run(*this, prepared, binding, *prepared.threads[thread], nullptr);
    for (size_t g = chunks.first(chunk); g < chunks.end(chunk); ++g) {
      const ImageGroup group = group_of(g, batch, feed);
      run.forward(group, outputs);
      run.seed(group, seeds);
      run.backward(group, sums);
    }
  });
  sum_chunks(chunks.count, count, threads, gradients);
}

std::shared_ptr<Kernel::Kept> Kernel::forward_and_keep(const Binding& binding, const Feed& feed,
                                                       size_t batch, int threads,
                                                       const std::vector<float*>& outputs,
                                                       const std::vector<bool>& begins) {
  Prepared& prepared = prepare(Pass::kSeparate, binding, begins);
  make_threads(prepared.threads, threads);
  auto kept = std::make_shared<Kept>();
  kept->prepared = &prepared;
  const size_t size = prepared.plan.kept * simd::lanes();
  const Chunks chunks(batch);
  kept->memory.reserve(std::max<size_t>(size * chunks.groups, 1));
  team_.run(chunks.count, threads, [&](size_t chunk, size_t thread) {
    for (size_t g = chunks.first(chunk); g < chunks.end(chunk); ++g) {
      Run run(*this, prepared, binding, *prepared.threads[thread], kept->memory.at(g * size));
      run.forward(group_of(g, batch, feed), outputs);
    }
  });
  return kept;
}

void Kernel::backward(const Binding& binding, const Feed& feed, size_t batch, int threads,
                      const Kept& kept, const std::vector<const float*>& gradients_by,
                      float* gradients) {
  Prepared& prepared = *kept.prepared;
  make_threads(prepared.threads, threads);
  const size_t size = prepared.plan.kept * simd::lanes(), count = binding.gradient_count;
  const Chunks chunks(batch);
  partial_.reserve(count * chunks.count);
  team_.run(chunks.count, threads, [&](size_t chunk, size_t thread) {
    float* sums = partial_.at(chunk * count);
    std::memset(sums, 0, count * sizeof(float));
    for (size_t g = chunks.first(chunk); g < chunks.end(chunk); ++g) {
      Run run(*this, prepared, binding, *prepared.threads[thread], kept.memory.at(g * size));
      const ImageGroup group = group_of(g, batch, feed);
      run.seed(group, gradients_by);
      run.backward(group, sums);
    }
  });
  sum_chunks(chunks.count, count, threads, gradients);
}

void Kernel::sum_chunks(size_t chunks, size_t count, int threads, float* gradients) {
  constexpr size_t kSlice = 4096;
  team_.run((count + kSlice - 1) / kSlice, threads, [&](size_t slice, size_t) {
    const size_t begin = slice * kSlice, end = std::min(count, begin + kSlice);
    std::memcpy(gradients + begin, partial_.at(begin), (end - begin) * sizeof(float));
    for (size_t chunk = 1; chunk < chunks; ++chunk)
      simd::add(partial_.at(chunk * count) + begin, end - begin, gradients + begin);
  });
}

}  // namespace vitrine
