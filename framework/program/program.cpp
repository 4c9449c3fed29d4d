#include "framework/program/program.h"

namespace vitrine {

Applied Program::applied(const Step& step) const {
  Applied out;
  for (const size_t input : step.inputs) out.inputs.push_back(steps[input].shape);
  for (const ParameterUse& use : step.parameters) {
    out.parameters.emplace_back();
    if (use.index == ParameterUse::kNone) continue;
    out.parameters.back() = parameters[use.index].sizes;
    if (use.count > 0) out.parameters.back()[0] = use.count;
  }
  out.numbers = step.numbers;
  out.output = step.shape;
  return out;
}

size_t Program::add(Step step) {
  step.shape = find_operation(step.operation).shape(applied(step));
  steps.push_back(std::move(step));
  return steps.size() - 1;
}

double Program::flops(size_t step) const {
  return find_operation(steps[step].operation).flops(applied(step));
}

}  // namespace vitrine
