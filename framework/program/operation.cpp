#include "framework/program/operation.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <map>
#include <numeric>

#include "framework/error.h"

namespace vitrine {
namespace {

std::map<std::string, const Operation*>& operations() {
  static std::map<std::string, const Operation*> all;
  return all;
}

}  // namespace

std::string to_string(const Shape& shape) {
  return fmt::format("{} x {}", shape.tokens, shape.columns);
}

size_t Applied::count(size_t number) const {
  const double x = numbers.at(number);
  if (x >= 0 && x <= static_cast<double>(kLargest) && x == std::floor(x))
    return static_cast<size_t>(x);
  throw Error(ExitCode::kInternal, fmt::format("{} is no whole number from 0 to {}", x, kLargest));
}

size_t Applied::parameter_size(size_t parameter) const {
  const auto& sizes = parameters[parameter];
  return std::accumulate(sizes.begin(), sizes.end(), size_t{1}, std::multiplies<>());
}

std::vector<TokenRange> Operation::reads(const Applied& applied, TokenRange tokens) const {
  std::vector<TokenRange> out;
  for (const Shape& input : applied.inputs) {
    out.push_back(input.tokens == applied.output.tokens ? tokens : TokenRange{0, input.tokens});
  }
  return out;
}

std::vector<double> Operation::narrowed(const Applied& applied, TokenRange) const {
  return applied.numbers;
}

void Operation::backward(const Call&) const {}

void register_operation(const char* name, const Operation* operation) noexcept {
  try {
    operations()[name] = operation;
  } catch (...) {
    // Without memory for a name the process does not come far.
  }
}

const Operation& find_operation(const std::string& name) {
  const auto found = operations().find(name);
  if (found != operations().end()) return *found->second;
  throw Error(ExitCode::kInternal, "there is no operation called " + escape(name));
}

std::vector<std::string> operation_names() {
  std::vector<std::string> out;
  for (const auto& [name, operation] : operations()) out.push_back(name);
  return out;
}

void refuse_operands(const std::string& operation, const std::string& what) {
  throw Error(ExitCode::kInternal, fmt::format("{}: {}", operation, what));
}

void refuse_bias(const char* operation, const Applied& applied, size_t parameter, size_t count) {
  if (applied.parameters[parameter].empty() || applied.parameter_size(parameter) == count) return;
  refuse_operands(operation, fmt::format("a bias of {} for {} columns",
                                         applied.parameter_size(parameter), count));
}

}  // namespace vitrine
