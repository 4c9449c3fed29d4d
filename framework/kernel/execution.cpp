#include "framework/kernel/execution.h"

#include <cstring>

#include "framework/simd/vectors.h"

namespace vitrine {
namespace {

void pass(const Call& call) {
  const Matrix &from = call.output.gradient, &to = call.inputs[0].gradient;
  const size_t n = call.output.shape.columns * call.unit;
  for (size_t image = 0; image < call.images; ++image) {
    for (size_t t = 0; t < call.output.shape.tokens; ++t) {
      const float* source = from.at + image * from.image + t * from.row;
      float* target = to.at + image * to.image + t * to.row;
      if (call.inputs[0].adds) {
        simd::add(source, n, target);
      } else {
        std::memcpy(target, source, n * sizeof(float));
      }
    }
  }
}

}  // namespace

Kernel::Execution::Execution(const Program& program, Prepared& prepared, const Binding& binding,
                             Prepared::Thread& thread, float* kept)
    : program_(program), prepared_(prepared), binding_(binding), thread_(thread), kept_(kept) {
  const bool moved = thread.memory.reserve(prepared.floats(prepared.plan.scratch));
  if (moved || thread.forward.empty() || thread.kept != kept || thread.values != binding.values) {
    thread.kept = kept;
    thread.values = binding.values;
    bind(prepared.plan.forward, thread.forward);
    bind(prepared.plan.backward, thread.backward);
  }
}

void Kernel::Execution::forward(const ImageGroup& group, const std::vector<float*>& outputs) {
  for (BoundAction& bound : thread_.forward) {
    prepare(bound.call, group);
    bound.operation->forward(bound.call);
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i]) collect(i, group, outputs[i]);
  }
}

void Kernel::Execution::seed(const ImageGroup& group, const std::vector<float>& seeds) {
  for (size_t i = 0; i < seeds.size(); ++i) {
    const Spot& spot = prepared_.plan.output_gradients[i];
    if (spot.exists()) fill(i, group, [&](size_t, size_t) { return seeds[i]; });
  }
}
void Kernel::Execution::seed(const ImageGroup& group,
                             const std::vector<const float*>& gradients_by) {
  for (size_t i = 0; i < gradients_by.size(); ++i) {
    const Spot& spot = prepared_.plan.output_gradients[i];
    if (!spot.exists()) continue;
    const size_t size = program_.steps[program_.outputs[i]].shape.size();
    const float* from = gradients_by[i] + group.first * size;
    fill(i, group, [&](size_t lane, size_t element) { return from[lane * size + element]; });
  }
}

void Kernel::Execution::backward(const ImageGroup& group, float* gradients) {
  for (BoundAction& bound : thread_.backward) {
    Call& call = bound.call;
    switch (bound.kind) {
      case Action::Kind::kZero:
        std::memset(call.output.gradient.at, 0,
                    prepared_.floats(call.output.shape.columns) * sizeof(float));
        break;
      case Action::Kind::kPass:
        prepare(call, group);
        pass(call);
        break;
      case Action::Kind::kAgain:
        prepare(call, group);
        bound.operation->forward(call);
        break;
      default:
        prepare(call, group);
        for (size_t p = 0; p < bound.parameters.size(); ++p) {
          if (bound.gradients[p] != Binding::kFrozen)
            bound.parameters[p].gradient = gradients + bound.gradients[p];
        }
        bound.operation->backward(call);
    }
  }
}

void Kernel::Execution::prepare(Call& call, const ImageGroup& group) const {
  call.group = group;
  call.images = prepared_.layout == MemoryLayout::kImages ? 1 : group.count;
}

Matrix Kernel::Execution::matrix(const Spot& spot) const {
  if (!spot.exists()) return {};
  const ExecutionPlan::Buffer& buffer = prepared_.plan.buffers[spot.buffer];
  const size_t unit = prepared_.unit;
  float* start = buffer.is_kept ? kept_ : thread_.memory.at(0);
  return {start + prepared_.floats(buffer.offset) + spot.offset * unit, spot.row * unit,
          buffer.size * unit};
}
Call::Operand Kernel::Execution::operand(const Action::Operand& from) const {
  return {from.shape, matrix(from.value), matrix(from.gradient), from.adds};
}

void Kernel::Execution::collect(size_t output, const ImageGroup& group, float* to) const {
  const Shape& shape = program_.steps[program_.outputs[output]].shape;
  const Matrix from = matrix(prepared_.plan.outputs[output]);
  to += group.first * shape.size();
  for (size_t t = 0; t < shape.tokens; ++t, to += shape.columns) {
    const float* row = from.at + t * from.row;
    if (prepared_.layout == MemoryLayout::kImages) {
      simd::collect(row, shape.columns, group.count, shape.size(), to);
    } else {
      for (size_t image = 0; image < group.count; ++image) {
        std::memcpy(to + image * shape.size(), row + image * from.image,
                    shape.columns * sizeof(float));
      }
    }
  }
}

template <class Value>
void Kernel::Execution::fill(size_t output, const ImageGroup& group, const Value& value) const {
  const Shape& shape = program_.steps[program_.outputs[output]].shape;
  const Matrix to = matrix(prepared_.plan.output_gradients[output]);
  const bool has_lanes = prepared_.layout == MemoryLayout::kImages;
  for (size_t t = 0; t < shape.tokens; ++t) {
    for (size_t c = 0; c < shape.columns; ++c) {
      float* at = to.at + t * to.row + c * prepared_.unit;
      for (size_t image = 0; image < (has_lanes ? prepared_.unit : group.count); ++image) {
        at[has_lanes ? image : image * to.image] =
            image < group.count ? value(image, t * shape.columns + c) : 0;
      }
    }
  }
}

void Kernel::Execution::bind(const std::vector<Action>& actions,
                             std::vector<BoundAction>& out) const {
  out.clear();
  out.resize(actions.size());
  for (size_t i = 0; i < actions.size(); ++i) bind(actions[i], out[i]);
}
void Kernel::Execution::bind(const Action& action, BoundAction& out) const {
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
  out.call.unit = prepared_.unit;
}
void Kernel::Execution::bind(const ParameterUse& use, BoundAction& out) const {
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

}  // namespace vitrine
