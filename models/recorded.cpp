#include "models/recorded.h"

#include <fmt/format.h>

#include <array>

#include "framework/config/units.h"
#include "framework/files/json.h"
#include "framework/model/tensors.h"
#include "framework/program/program_file.h"
#include "framework/registry/register.h"
#include "framework/training/model_file.h"
#include "framework/training/model_program.h"
#include "framework/training/recorded.h"
#include "models/heads.h"

namespace vitrine {
namespace {

struct Options : HeadsOptions {
  Path file;

  void visit(Fields& field) {
    ModelOptions::visit(field);
    field("file", file, "a model file that carries its program");
    visit_heads(field);
  }
  void check(const ModelContext& images, Check& check) const { check_tasks(images, check); }
};

class Recorded : public Model {
 public:
  Recorded(const Options& options, const ModelContext& images) : tasks_(options.tasks_for(images)) {
    const Safetensors file = read_weights(Place(options.file.value));
    const std::string where = escape(options.file.value);
    const nlohmann::json told = parse_json(file.metadata().at(kProgram), where);
    const auto sizes = json_member(told, "image", where).get<std::array<size_t, 3>>();
    const auto size = [](int64_t number) { return static_cast<size_t>(number); };
    if (sizes != std::array{size(images.channels), size(images.height), size(images.width)})
      throw Error(ExitCode::kCheckpoint, where + ": it takes images of another size");
    const auto sizes_of = [&](const std::string& name) -> std::optional<std::vector<size_t>> {
      const TensorView* tensor = file.find(name);
      if (!tensor || tensor->dtype != DType::kF32) return std::nullopt;
      return std::vector<size_t>(tensor->shape.begin(), tensor->shape.end());
    };
    program_ = read_program(told, sizes, sizes_of, where);
    take_parameters(file);
    take_tasks(json_member(told, "tasks", where), where);
  }

  std::vector<Value> forward(const Value& images) override {
    std::vector<Value> results;
    for (const Step& step : program_.steps) {
      const Program::Scope& scope = program_.scopes[step.scope];
      const Scope inside(scope.name, scope.type);
      results.push_back(applied(step, images, results));
    }
    std::vector<Value> out;
    for (const size_t output : program_.outputs) out.push_back(results[output]);
    return out;
  }
  const std::vector<Task>& tasks() const override { return tasks_; }

 private:
  // By numbers: their names in the file have dots, which those of a module's own may not.
  void take_parameters(const Safetensors& file) {
    for (size_t i = 0; i < program_.parameters.size(); ++i) {
      const TensorView* tensor = file.find(program_.parameters[i].name);
      parameters_.push_back(register_parameter(fmt::format("tensor{}", i), to_tensor(*tensor)));
    }
  }

  // What the file tells of a task stands there because of its head.
  void take_tasks(const nlohmann::json& told, const std::string& where) {
    bool is_same =
        told.is_array() && told.size() == tasks_.size() && program_.outputs.size() == tasks_.size();
    for (size_t i = 0; is_same && i < tasks_.size(); ++i) {
      is_same = told[i].at("names") == tasks_[i].names &&
                program_.steps[program_.outputs[i]].shape.size() == tasks_[i].names.size();
      tasks_[i].probabilities = told[i].at("probabilities").get<bool>();
    }
    if (!is_same) throw Error(ExitCode::kCheckpoint, where + ": it predicts something else");
  }

  Tensor used(const ParameterUse& use) const {
    if (use.index == ParameterUse::kNone) return {};
    const Tensor& whole = parameters_[use.index];
    if (use.count == 0) return whole;
    // A constant: what is made of a parameter is none.
    return whole.detach().narrow(0, static_cast<int64_t>(use.first),
                                 static_cast<int64_t>(use.count));
  }

  Value applied(const Step& step, const Value& images, const std::vector<Value>& results) const {
    std::vector<Value> inputs;
    std::vector<double> numbers = step.numbers;
    if (find_operation(step.operation).reads_images()) {
      inputs.push_back(images);
      numbers.erase(numbers.begin(), numbers.begin() + 3);  // it is told of their sizes
    }
    for (const size_t input : step.inputs) inputs.push_back(results[input]);
    std::vector<Tensor> parameters;
    for (const ParameterUse& use : step.parameters) parameters.push_back(used(use));
    return vitrine::apply(step.operation.c_str(), inputs, parameters, std::move(numbers));
  }

  std::vector<Task> tasks_;
  Program program_;
  std::vector<Tensor> parameters_;  // of the program
};

[[maybe_unused]] const bool provided = provide_recorded_model(kRecordedModel, [] {
  [[maybe_unused]] static const bool registered = register_component<Model, Recorded, Options>(
      "the program of a model file, to test it", __FILE__, __LINE__);
});

}  // namespace
}  // namespace vitrine
