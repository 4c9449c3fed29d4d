#include "framework/program/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

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

namespace {

// Throws Error(kInternal) where a step has not what its operation takes, or uses what is not there.
void check_operands(const Program& program, const Step& step, const Operation& operation) {
  const Operands takes = operation.operands();
  const auto require = [&](bool holds, const std::string& what) {
    if (!holds) refuse_operands(step.operation, what);
  };
  const auto fits = [](size_t count, size_t taken) {
    return taken == Operands::kAny ? count > 0 : count == taken;
  };
  require(fits(step.inputs.size(), takes.inputs),
          fmt::format("{} inputs are too many or too few", step.inputs.size()));
  require(fits(step.parameters.size(), takes.parameters),
          fmt::format("{} parameters are too many or too few", step.parameters.size()));
  require(
      step.numbers.size() == operation.numbers().size(),
      fmt::format("it takes {} numbers, got {}", operation.numbers().size(), step.numbers.size()));
  for (const size_t input : step.inputs)
    require(input < program.steps.size(), fmt::format("there is no step {} before it", input));
  for (const double number : step.numbers) require(std::isfinite(number), "a number is not finite");
  for (size_t i = 0; i < step.parameters.size(); ++i) {
    const ParameterUse& use = step.parameters[i];
    if (use.index == ParameterUse::kNone) {
      require(i + takes.optional >= step.parameters.size(),
              fmt::format("parameter {} is missing", i));
      continue;
    }
    require(use.index < program.parameters.size(),
            fmt::format("there is no parameter {}", use.index));
    const auto& [name, sizes] = program.parameters[use.index];
    require(!sizes.empty() && std::count(sizes.begin(), sizes.end(), size_t{0}) == 0,
            fmt::format("{} holds no numbers, or a single one", name));
    require(use.first <= sizes[0] && use.count <= sizes[0] - use.first,
            fmt::format("{} has no rows {} to {}", name, use.first, use.first + use.count));
  }
}

}  // namespace

size_t Program::add(Step step) {
  const Operation& operation = find_operation(step.operation);
  check_operands(*this, step, operation);
  step.shape = operation.shape(applied(step));
  const auto [tokens, columns] = step.shape;
  if (tokens == 0 || columns == 0 || columns > Applied::kLargest / tokens)
    refuse_operands(step.operation, fmt::format("a result of {}", to_string(step.shape)));
  steps.push_back(std::move(step));
  return steps.size() - 1;
}

double Program::flops(size_t step) const {
  return find_operation(steps[step].operation).flops(applied(step));
}

}  // namespace vitrine
