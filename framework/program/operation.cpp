#include "framework/program/operation.h"

#include <fmt/format.h>

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

void refuse_operands(const char* operation, const std::string& what) {
  throw Error(ExitCode::kInternal, fmt::format("{}: {}", operation, what));
}

}  // namespace vitrine
