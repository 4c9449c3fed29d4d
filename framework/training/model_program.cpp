#include "framework/training/model_program.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <set>

#include "framework/model/recording.h"
#include "framework/model/tensors.h"
#include "framework/program/program_file.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

// Why the file has no program; empty where it has one.
std::string refusal_of(const Recording& recording,
                       const std::vector<std::shared_ptr<Transform>>& transforms) {
  if (!recording.is_recorded()) return recording.refusal;
  for (const auto& transform : transforms) {
    if (!transform->normalization())
      return fmt::format("images go through the transform {}, which is no normalization",
                         transform->component()->name);
  }
  for (const Step& step : recording.program.steps) {
    if (!find_operation(step.operation).is_closed(recording.program.applied(step))) {
      return fmt::format("{}: {} computes from more than images and weights",
                         recording.program.scopes[step.scope].name, step.operation);
    }
  }
  return "";
}

}  // namespace

void add_program(const Model& model, const std::vector<int64_t>& images,
                 const std::vector<std::shared_ptr<Transform>>& transforms,
                 std::vector<OwnedTensor>& tensors, std::map<std::string, std::string>& metadata) {
  if (model.tasks().empty()) return;  // it answers nothing
  const auto self = std::const_pointer_cast<torch::nn::Module>(model.shared_from_this());
  Recording recording = record_evaluating(static_cast<Model&>(*self), images);
  Json out = {{"format", 1}};
  if (recording.is_recorded()) recording.program = pruned(recording.program, recording.outputs);
  const std::string refusal = refusal_of(recording, transforms);
  if (!refusal.empty()) {
    out["refusal"] = refusal;
    metadata[kProgram] = out.dump();
    return;
  }
  std::set<std::string> named;
  for (const OwnedTensor& tensor : tensors) named.insert(tensor.name);
  std::set<size_t> used;
  for (const Step& step : recording.program.steps) {
    for (const ParameterUse& use : step.parameters) used.insert(use.index);
  }
  used.erase(ParameterUse::kNone);
  for (const size_t index : used) {
    std::string& name = recording.program.parameters[index].name;
    if (named.contains(name)) continue;
    name = kProgramPrefix + name;  // a constant
    tensors.push_back(to_owned(name, recording.parameters[index]));
  }
  Json normalizations = Json::array(), tasks = Json::array();
  for (const auto& transform : transforms) {
    const auto one = transform->normalization();
    normalizations.push_back({{"subtract", one->mean}, {"divide", one->std}});
  }
  for (const Task& task : model.tasks()) {
    tasks.push_back({{"name", task.name},
                     {"type", to_string(task.type)},
                     {"names", task.names},
                     {"probabilities", task.probabilities}});
  }
  out["image"] = images;
  out["normalize"] = normalizations;
  out["tasks"] = tasks;
  out.update(program_json(recording.program));
  metadata[kProgram] = out.dump();
}

}  // namespace vitrine
