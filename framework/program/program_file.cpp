#include "framework/program/program_file.h"

#include <fmt/format.h>

#include <map>

#include "framework/error.h"
#include "framework/files/json.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;
constexpr size_t kMostSteps = 1'000'000;
constexpr size_t kImageNumbers = 3;  // that an operation on images begins with

class Reader {
 public:
  Reader(const nlohmann::json& value, const std::array<size_t, 3>& images,
         const ParameterSizes& sizes, std::string where)
      : value_(value), images_(images), sizes_(sizes), where_(std::move(where)) {}

  Program read() {
    for (const auto& scope : list(value_, "scopes", where_)) {
      program_.scopes.push_back({json_string(json_member(scope, "name", where_), where_),
                                 json_string(json_member(scope, "type", where_), where_)});
    }
    const auto& steps = list(value_, "steps", where_);
    if (steps.size() > kMostSteps)
      refuse(where_, fmt::format("{} steps; {} are the most", steps.size(), kMostSteps));
    for (size_t i = 0; i < steps.size(); ++i) {
      const std::string where = fmt::format("{}: step {}", where_, i);
      try {
        program_.add(step(steps[i], where));
      } catch (const Error& error) {
        // What does not fit is the file's fault here.
        if (error.code() != ExitCode::kInternal) throw;
        refuse(where, error.what());
      }
    }
    for (const auto& output : list(value_, "outputs", where_))
      program_.outputs.push_back(number_of_step(output, where_ + ": outputs"));
    return std::move(program_);
  }

 private:
  [[noreturn]] static void refuse(const std::string& where, const std::string& problem) {
    throw Error(ExitCode::kData, where + ": " + problem);
  }

  static const nlohmann::json& list(const nlohmann::json& value, const char* key,
                                    const std::string& where) {
    const nlohmann::json& out = json_member(value, key, where);
    if (!out.is_array()) refuse(where, fmt::format("\"{}\" is no list", key));
    return out;
  }

  size_t number_of_step(const nlohmann::json& value, const std::string& where) const {
    const auto last = static_cast<int64_t>(program_.steps.size()) - 1;
    return static_cast<size_t>(json_integer(value, where, 0, last));
  }

  static size_t count(const nlohmann::json& value, const char* key, const std::string& where) {
    constexpr auto kLargest = static_cast<int64_t>(Applied::kLargest);
    return static_cast<size_t>(json_integer(json_member(value, key, where), where, 0, kLargest));
  }

  ParameterUse parameter(const nlohmann::json& value, const std::string& where) {
    if (value.is_null()) return {};
    if (value.is_string()) return {index_of(value.get<std::string>(), where), 0, 0};
    const std::string name = json_string(json_member(value, "name", where), where);
    return {index_of(name, where), count(value, "first", where), count(value, "count", where)};
  }

  size_t index_of(const std::string& name, const std::string& where) {
    const auto [known, is_new] = indices_.emplace(name, program_.parameters.size());
    if (!is_new) return known->second;
    auto sizes = sizes_(name);
    if (!sizes) refuse(where, fmt::format("there is no tensor {} of float32", escape(name)));
    program_.parameters.push_back({name, std::move(*sizes)});
    return known->second;
  }

  Step step(const nlohmann::json& value, const std::string& where) {
    Step out;
    out.operation = json_string(json_member(value, "operation", where), where);
    const auto names = operation_names();
    if (!std::binary_search(names.begin(), names.end(), out.operation))
      refuse(where, "this version knows no operation " + escape(out.operation));
    const Operation& operation = find_operation(out.operation);
    for (const auto& input : list(value, "inputs", where))
      out.inputs.push_back(number_of_step(input, where + ": inputs"));
    for (const auto& use : list(value, "parameters", where))
      out.parameters.push_back(parameter(use, where + ": parameters"));
    if (operation.reads_images()) out.numbers.assign(images_.begin(), images_.end());
    for (const auto& number : list(value, "numbers", where))
      out.numbers.push_back(json_number(number, where + ": numbers"));
    out.scope = count(value, "scope", where);
    if (out.scope >= program_.scopes.size()) refuse(where, "it has no scope");
    const bool has_numbers = out.numbers.size() == operation.numbers().size();
    if (has_numbers && !operation.is_closed({{}, {}, out.numbers, {}}))
      refuse(where, out.operation + " computes from more than images and weights");
    return out;
  }

  const nlohmann::json& value_;
  const std::array<size_t, 3>& images_;
  const ParameterSizes& sizes_;
  std::string where_;
  Program program_;
  std::map<std::string, size_t> indices_;
};

}  // namespace

Json program_json(const Program& program) {
  Json scopes = Json::array(), steps = Json::array();
  for (const auto& [name, type] : program.scopes)
    scopes.push_back({{"name", name}, {"type", type}});
  for (const Step& step : program.steps) {
    Json parameters = Json::array();
    for (const auto& [index, first, count] : step.parameters) {
      if (index == ParameterUse::kNone) {
        parameters.push_back(nullptr);
      } else if (count == 0) {
        parameters.push_back(program.parameters[index].name);
      } else {
        parameters.push_back(
            {{"name", program.parameters[index].name}, {"first", first}, {"count", count}});
      }
    }
    std::vector<double> numbers = step.numbers;
    if (find_operation(step.operation).reads_images())
      numbers.erase(numbers.begin(), numbers.begin() + kImageNumbers);
    steps.push_back({{"operation", step.operation},
                     {"inputs", step.inputs},
                     {"parameters", parameters},
                     {"numbers", numbers},
                     {"scope", step.scope}});
  }
  return {{"scopes", scopes}, {"steps", steps}, {"outputs", program.outputs}};
}

Program read_program(const nlohmann::json& value, const std::array<size_t, 3>& images,
                     const ParameterSizes& sizes, const std::string& where) {
  return Reader(value, images, sizes, where).read();
}

}  // namespace vitrine
