#include "framework/training/state.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "framework/files/json.h"
#include "framework/model/model.h"
#include "framework/model/tensors.h"
#include "framework/training/callbacks.h"

namespace vitrine {
namespace {

using json = nlohmann::json;

// What training.early_stopping has counted stands where it stood before there were callbacks.
constexpr const char* kEarlyStopping = "training.early_stopping";
constexpr const char* kCounted[] = {"epochs_without_improvement", "best_stopping"};

json sums_json(const Sums& sums) {
  return {{"values", sums.values},
          {"gradient_norms", sums.gradient_norms},
          {"images", sums.images},
          {"steps", sums.steps}};
}

// Values out of one object of a state; what is wrong with one is an Error(kData) that names it.
class StateReader {
 public:
  StateReader(const json& object, std::string where) : object_(object), where_(std::move(where)) {}

  bool has(const char* key) const { return object_.is_object() && object_.contains(key); }
  const json& at(const char* key) const { return json_member(object_, key, where_); }
  StateReader object(const char* key) const { return {at(key), place(key)}; }
  int64_t count(const char* key) const { return json_integer(at(key), place(key), 0); }
  int64_t integer(const char* key) const { return json_integer(at(key), place(key)); }
  double number(const char* key) const { return json_number(at(key), place(key)); }
  double seconds(const char* key) const { return std::max(number(key), 0.0); }
  std::string string(const char* key) const { return json_string(at(key), place(key)); }
  bool boolean(const char* key) const {
    if (!at(key).is_boolean()) throw Error(ExitCode::kData, place(key) + ": is not true or false");
    return at(key).get<bool>();
  }
  std::vector<double> numbers(const char* key) const {
    if (!at(key).is_array()) throw Error(ExitCode::kData, place(key) + ": is no list");
    std::vector<double> out;
    for (const json& value : at(key)) out.push_back(json_number(value, place(key)));
    return out;
  }
  // Names with a value of any kind each.
  json any(const char* key) const {
    if (!at(key).is_object()) throw Error(ExitCode::kData, place(key) + ": is no mapping");
    return at(key);
  }
  // Names with a text or a number each.
  json values(const char* key) const {
    bool plain = at(key).is_object();
    for (const json& value : at(key)) plain &= value.is_string() || value.is_number();
    if (!plain) throw Error(ExitCode::kData, place(key) + ": is no list of named values");
    return at(key);
  }

 private:
  std::string place(const char* key) const { return where_ + "." + key; }

  const json& object_;
  std::string where_;
};

Sums sums_from(const StateReader& sums) {
  return {sums.numbers("values"), sums.number("gradient_norms"), sums.count("images"),
          sums.count("steps")};
}

json state_json(const RunState& s) {
  json out = {{"step", s.step},
              {"epoch", s.epoch},
              {"step_in_epoch", s.step_in_epoch},
              {"order_seed", s.order_seed},
              {"window", sums_json(s.window)},
              {"total", sums_json(s.total)},
              {"epochs_without_improvement", 0},
              {"seconds", s.seconds},
              {"epoch_seconds", s.epoch_seconds},
              {"exact", s.exact}};
  if (s.best)
    out["best"] = {{"value", s.best->value}, {"loss", s.best->loss}, {"step", s.best->step}};
  for (const auto& [path, state] : s.callbacks.items()) {
    if (path != kEarlyStopping) {
      out["callbacks"][path] = state;
      continue;
    }
    for (const char* key : kCounted) {
      if (state.contains(key)) out[key] = state[key];
    }
  }
  if (!s.schedule.empty()) out["schedule"] = s.schedule;
  for (const Change& change : s.changes) out["changes"].push_back(json(change.json()));
  return out;
}

RunState state_from(const StateReader& run) {
  RunState out;
  out.step = run.count("step");
  out.epoch = run.count("epoch");
  out.step_in_epoch = run.count("step_in_epoch");
  out.order_seed = run.integer("order_seed");
  out.window = sums_from(run.object("window"));
  out.total = sums_from(run.object("total"));
  out.seconds = run.seconds("seconds");
  out.epoch_seconds = run.seconds("epoch_seconds");
  out.exact = run.boolean("exact");
  if (run.has("best")) {
    const StateReader best = run.object("best");
    out.best = {best.number("value"), best.number("loss"), best.count("step")};
  }
  if (run.has("callbacks")) out.callbacks = run.any("callbacks");
  json stopping = {{"epochs_without_improvement", run.count("epochs_without_improvement")}};
  if (run.has("best_stopping")) stopping["best_stopping"] = run.number("best_stopping");
  out.callbacks[kEarlyStopping] = std::move(stopping);
  if (run.has("schedule")) out.schedule = run.numbers("schedule");
  if (run.has("changes")) {
    for (const json& change : run.at("changes"))
      out.changes.push_back(Change::from_json(change, "state.run.changes"));
  }
  return out;
}

Restored restored_from(const json& state) {
  const StateReader reader(state, "state");
  return {state_from(reader.object("run")),
          static_cast<uint64_t>(reader.count("rows_length")),
          reader.string("rows_sha256"),
          {reader.object("identity").string("run"), reader.object("identity").string("started"),
           reader.string("dataset_sha256"), reader.values("contents"), reader.any("config"),
           reader.values("environment")}};
}

[[noreturn]] void refuse(const std::string& file, const std::string& reason) {
  throw Error(ExitCode::kCheckpoint,
              fmt::format("the checkpoint {} is unusable: {}", file, reason));
}

Restored checked_state(const Checkpoint& checkpoint, const std::string& file) {
  try {
    return restored_from(checkpoint.state);
  } catch (const Error& error) {
    refuse(file, error.what());
  }
}

void set_generator(at::Generator generator, const Tensor& state, const std::string& file) {
  if (!state.defined()) refuse(file, "it holds no state of the generator");
  try {
    generator.set_state(state);
  } catch (const c10::Error&) {
    refuse(file, "what it holds is no state of the generator");
  }
}

// "optimizer/<parameter>/<slot>" for slots as long as the parameters, "optimizer/<slot>" for lone
// numbers; all are views.
std::map<std::string, Tensor> optimizer_tensors(Learner& learner) {
  std::map<std::string, Tensor> out;
  for (const auto& [slot, tensor] : learner.optimizer->slots()) {
    if (tensor.numel() != learner.parameters->values().numel()) {
      out["optimizer/" + slot] = tensor;
      continue;
    }
    for (const auto& [name, view] : learner.parameters->by_name(tensor))
      out["optimizer/" + name + "/" + slot] = view;
  }
  return out;
}

std::map<std::string, Tensor> with_prefix(const std::string& prefix,
                                          const std::map<std::string, Tensor>& tensors) {
  std::map<std::string, Tensor> out;
  for (const auto& [name, tensor] : tensors) out[prefix + name] = tensor;
  return out;
}

constexpr const char* kWeights = "model/";
constexpr const char* kTested = "ema/";  // what is tested in place of the weights

// Every tensor of a run, as it is written and restored, but for the generators.
std::map<std::string, Tensor> tensors_of(Learner& learner, Callbacks& callbacks) {
  std::map<std::string, Tensor> out = with_prefix(kWeights, state_of(learner.modules));
  out.merge(optimizer_tensors(learner));
  out.merge(callbacks.tensors());
  if (const Tensor tested = callbacks.tested_weights(); tested.defined())
    out.merge(with_prefix(kTested, learner.parameters->by_name(tested)));
  return out;
}

constexpr const char* kGenerator = "rng/cpu";
constexpr const char* kCudaGenerator = "rng/cuda";

at::Generator cpu_generator() { return at::detail::getDefaultCPUGenerator(); }
at::Generator cuda_generator() {
  return at::globalContext().defaultGenerator(at::Device(at::kCUDA, 0));
}

std::map<std::string, Tensor> loaded_tensors(const Checkpoint& checkpoint,
                                             const std::string& prefix) {
  std::map<std::string, Tensor> out;
  for (const OwnedTensor& tensor : checkpoint.tensors) {
    if (tensor.name.starts_with(prefix)) out[tensor.name.substr(prefix.size())] = to_tensor(tensor);
  }
  return out;
}

}  // namespace

void RunState::note_best(double value, bool larger_is_better, double loss) {
  const auto known = best ? std::optional(best->value) : std::nullopt;
  const bool ties = best && value == best->value && loss < best->loss;
  if (ties || is_better(value, known, larger_is_better)) best = {value, loss, step};
}

Checkpoint capture(const RunState& state, Learner& learner, Callbacks& callbacks,
                   const MetricRows& rows, const Provenance& provenance) {
  Checkpoint out;
  for (const auto& [name, tensor] : tensors_of(learner, callbacks))
    out.tensors.push_back(to_owned(name, tensor));
  out.tensors.push_back(to_owned(kGenerator, cpu_generator().get_state()));
  if (learner.parameters->values().is_cuda())
    out.tensors.push_back(to_owned(kCudaGenerator, cuda_generator().get_state()));
  out.state = {{"run", state_json(state)},
               {"identity", {{"run", provenance.run}, {"started", provenance.started}}},
               {"rows_length", rows.length()},
               {"rows_sha256", rows.sha256()},
               {"config", provenance.config},
               {"dataset_sha256", provenance.dataset_sha256},
               {"contents", provenance.contents},
               {"environment", provenance.environment}};
  if (json state = learner.experiment->state(); !state.is_null()) out.state["experiment"] = state;
  return out;
}

Restored read_state(const Checkpoint& checkpoint, const std::string& file) {
  return checked_state(checkpoint, file);
}

Restored restore(const Checkpoint& checkpoint, Learner& learner, Callbacks& callbacks,
                 const std::string& file) {
  Restored out = checked_state(checkpoint, file);
  std::map<std::string, Tensor> loaded = loaded_tensors(checkpoint, "");
  const Tensor generator = loaded[kGenerator], cuda = loaded[kCudaGenerator];
  loaded.erase(kGenerator);
  loaded.erase(kCudaGenerator);
  for (const char* prefix : {kWeights, kTested}) {
    const std::string wrong =
        nonfinite_weights(learner.modules, loaded_tensors(checkpoint, prefix), prefix);
    if (!wrong.empty()) refuse(file, wrong);
  }
  copy_state(tensors_of(learner, callbacks), loaded, ExitCode::kCheckpoint, file);
  if (checkpoint.state.contains("experiment"))
    learner.experiment->set_state(checkpoint.state["experiment"]);
  set_generator(cpu_generator(), generator, file);
  if (cuda.defined() && learner.parameters->values().is_cuda())
    set_generator(cuda_generator(), cuda, file);
  return out;
}

std::map<std::string, Tensor> tested_weights(const Checkpoint& checkpoint, const Modules& modules,
                                             const std::string& file) {
  std::map<std::string, Tensor> values = loaded_tensors(checkpoint, kWeights);
  std::map<std::string, Tensor> tested = loaded_tensors(checkpoint, kTested);
  if (modules.size() == 1) {
    const auto is_of_experiment = [](const auto& item) {
      return item.first.starts_with(kOfExperiment);
    };
    std::erase_if(values, is_of_experiment);
    std::erase_if(tested, is_of_experiment);
  }
  for (const auto& [name, tensor] : tested) values.erase(name);
  for (const std::string& wrong : {nonfinite_weights(modules, tested, kTested),
                                   nonfinite_weights(modules, values, kWeights)}) {
    if (!wrong.empty()) refuse(file, wrong);
  }
  values.insert(tested.begin(), tested.end());
  return values;
}

void restore_weights(const Checkpoint& checkpoint, const Modules& modules,
                     const std::string& file) {
  copy_state(state_of(modules), tested_weights(checkpoint, modules, file), ExitCode::kCheckpoint,
             file);
}

}  // namespace vitrine
