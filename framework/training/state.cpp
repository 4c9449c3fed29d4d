#include "framework/training/state.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "framework/files/json.h"
#include "framework/model/model.h"
#include "framework/model/tensors.h"
#include "framework/model/without_trace.h"
#include "framework/training/callbacks.h"

namespace vitrine {
namespace {

using json = nlohmann::json;

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
              {"seconds", s.seconds},
              {"epoch_seconds", s.epoch_seconds},
              {"exact", s.exact}};
  if (s.best)
    out["best"] = {{"value", s.best->value}, {"loss", s.best->loss}, {"step", s.best->step}};
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
  if (run.has("changes")) {
    for (const json& change : run.at("changes"))
      out.changes.push_back(Change::from_json(change, "state.run.changes"));
  }
  return out;
}

Restored restored_from(const json& state) {
  const StateReader reader(state, "state");
  reader.any("states");  // read where there is somebody to take them
  return {state_from(reader.object("run")),
          static_cast<uint64_t>(reader.count("rows_length")),
          reader.string("rows_sha256"),
          {reader.object("identity").string("run"), reader.object("identity").string("started"),
           reader.string("dataset_sha256"),
           reader.has("dataset_contents") ? reader.string("dataset_contents") : "",
           reader.values("contents"), reader.any("config"), reader.values("environment")},
          {}};
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

constexpr const char* kSlots = "optimizer/";
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

// The optimizer may make slots in its first step: what the checkpoint has of them waits for it.
void expect_slots(Learner& learner, const std::map<std::string, Tensor>& loaded) {
  const Tensor& values = learner.parameters->values();
  for (const auto& [name, tensor] : loaded) {
    if (!name.starts_with(kSlots)) continue;
    const std::string rest = name.substr(std::string(kSlots).size());
    const size_t slash = rest.rfind('/');
    const std::string slot = slash == rest.npos ? rest : rest.substr(slash + 1);
    if (!learner.optimizer->slots().contains(slot))
      learner.optimizer->expect_slot(slot, slash == rest.npos ? tensor : values);
  }
}

// Parts are named as in the model, all others as the config names them.
std::vector<Keeper> keepers_of(const Learner& learner) {
  std::vector<Keeper> out = part_keepers(learner.modules);
  std::set<const Stateful*> seen;
  std::set<std::string> names;
  for (const Keeper& part : out) {
    seen.insert(part.it);
    names.insert(part.name);
  }
  for (const MadeComponents::One& one : learner.components.alive()) {
    if (!seen.insert(one.it.get()).second) continue;
    std::string name = one.name;
    while (!names.insert(name).second) name += "#";
    out.push_back({name, one.type, one.it.get(), one.it});
  }
  return out;
}

// Of what a test computes with: all but what trains.
std::vector<Keeper> tested_keepers(const Learner& learner) {
  std::vector<Keeper> out = keepers_of(learner);
  std::erase_if(out, [](const Keeper& keeper) {
    constexpr const char* kTraining[] = {"optimizer", "schedule", "callbacks.",
                                         "training.ema_decay", "training.early_stopping"};
    return std::any_of(std::begin(kTraining), std::end(kTraining),
                       [&](const char* begin) { return keeper.name.starts_with(begin); });
  });
  return out;
}

json states_in(const Checkpoint& checkpoint) {
  const bool has = checkpoint.state.is_object() && checkpoint.state.contains("states");
  return has ? checkpoint.state["states"] : json::object();
}

// Throws Error(kCheckpoint) where one of the keepers cannot take its state.
UnmatchedStates restore_kept(const Checkpoint& checkpoint, const std::vector<Keeper>& keepers,
                             const std::map<std::string, Tensor>& tensors, at::Device device,
                             const std::string& file) {
  try {
    return restore_states(keepers, {states_in(checkpoint), tensors}, device);
  } catch (const Error& error) {
    refuse(file, error.what());
  }
}

constexpr const char* kWeights = "model/";
constexpr const char* kTested = "ema/";  // what is tested in place of the weights

// Every tensor of a run, as it is written and restored, but for states and the generators.
std::map<std::string, Tensor> tensors_of(Learner& learner, Callbacks& callbacks) {
  std::map<std::string, Tensor> out = with_prefix(kWeights, state_of(learner.modules));
  out.merge(optimizer_tensors(learner));
  if (const Tensor tested = callbacks.tested_weights(); tested.defined()) {
    out.merge(with_prefix(kTested, learner.parameters->by_name(tested)));
    out.merge(with_prefix(kTested, callbacks.tested_buffers()));
  }
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

void capture_learner(Learner& learner, Callbacks& callbacks, Checkpoint& out) {
  for (const auto& [name, tensor] : tensors_of(learner, callbacks))
    out.tensors.push_back(to_owned(name, tensor));
  out.tensors.push_back(to_owned(kGenerator, cpu_generator().get_state()));
  if (learner.parameters->values().is_cuda())
    out.tensors.push_back(to_owned(kCudaGenerator, cuda_generator().get_state()));
  const States states = states_of(keepers_of(learner));
  out.state["states"] = states.values;
  for (const auto& [name, tensor] : states.tensors) out.tensors.push_back(to_owned(name, tensor));
}

Checkpoint capture(const RunState& state, Learner& learner, Callbacks& callbacks,
                   const MetricRows& rows, const Provenance& provenance) {
  Checkpoint out;
  out.state = {{"run", state_json(state)},
               {"identity", {{"run", provenance.run}, {"started", provenance.started}}},
               {"rows_length", rows.length()},
               {"rows_sha256", rows.sha256()},
               {"config", provenance.config},
               {"dataset_sha256", provenance.dataset_sha256},
               {"contents", provenance.contents},
               {"environment", provenance.environment}};
  if (!provenance.dataset_contents.empty())
    out.state["dataset_contents"] = provenance.dataset_contents;
  capture_learner(learner, callbacks, out);
  return out;
}

Restored read_state(const Checkpoint& checkpoint, const std::string& file) {
  return checked_state(checkpoint, file);
}

Restored restore(const Checkpoint& checkpoint, Learner& learner, Callbacks& callbacks,
                 const std::string& file) {
  Restored out = checked_state(checkpoint, file);
  out.unmatched = restore_learner(checkpoint, learner, callbacks, file);
  return out;
}

UnmatchedStates restore_learner(const Checkpoint& checkpoint, Learner& learner,
                                Callbacks& callbacks, const std::string& file) {
  std::map<std::string, Tensor> loaded = loaded_tensors(checkpoint, "");
  const Tensor generator = loaded[kGenerator], cuda = loaded[kCudaGenerator];
  loaded.erase(kGenerator);
  loaded.erase(kCudaGenerator);
  for (const char* prefix : {kWeights, kTested}) {
    const std::string wrong =
        nonfinite_weights(learner.modules, loaded_tensors(checkpoint, prefix), prefix);
    if (!wrong.empty()) refuse(file, wrong);
  }
  const std::map<std::string, Tensor> states = take_states(loaded);
  expect_slots(learner, loaded);
  std::map<std::string, Tensor> target = tensors_of(learner, callbacks);
  Unmatched slots;
  std::erase_if(target, [&](const auto& item) {
    const bool is_new = item.first.starts_with(kSlots) && !loaded.contains(item.first);
    if (is_new) slots.missing.push_back(item.first.substr(std::string(kSlots).size()));
    return is_new;
  });
  copy_state(target, loaded, ExitCode::kCheckpoint, file);
  UnmatchedStates out = restore_kept(checkpoint, keepers_of(learner), states,
                                     learner.parameters->values().device(), file);
  for (std::string& name : slots.missing) out["optimizer"].missing.push_back(std::move(name));
  set_generator(cpu_generator(), generator, file);
  if (cuda.defined() && learner.parameters->values().is_cuda())
    set_generator(cuda_generator(), cuda, file);
  return out;
}

json kept_by(const Checkpoint& checkpoint, const std::string& name) {
  const json states = states_in(checkpoint);
  const nlohmann::json::json_pointer place = json::json_pointer() / name / "keeps";
  return states.contains(place) ? states.at(place) : json();
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

namespace {

void restore_tested_states(const Checkpoint& checkpoint, const std::vector<Keeper>& keepers,
                           at::Device device, const std::string& file) {
  std::map<std::string, Tensor> loaded = loaded_tensors(checkpoint, "");
  restore_kept(checkpoint, keepers, take_states(loaded), device, file);
}

void copy_tested(const Checkpoint& checkpoint, const Modules& modules, const std::string& file) {
  copy_state(state_of(modules), tested_weights(checkpoint, modules, file), ExitCode::kCheckpoint,
             file);
}

}  // namespace

void restore_weights(const Checkpoint& checkpoint, const Modules& modules,
                     const std::string& file) {
  copy_tested(checkpoint, modules, file);
  restore_tested_states(checkpoint, part_keepers(modules), at::kCPU, file);
}

void restore_tested(const Checkpoint& checkpoint, Learner& learner, const std::string& file) {
  copy_tested(checkpoint, learner.modules, file);
  restore_tested_states(checkpoint, tested_keepers(learner), learner.parameters->values().device(),
                        file);
}

bool keeps_besides_model(const Learner& learner) {
  const States states = states_of(tested_keepers(learner));
  return learner.modules.size() > 1 || !states.values.empty() || !states.tensors.empty();
}

void restore_besides_model(const Checkpoint& checkpoint, Learner& learner,
                           const std::string& file) {
  std::map<std::string, Tensor> values = tested_weights(checkpoint, learner.modules, file);
  std::erase_if(values, [](const auto& item) { return !item.first.starts_with(kOfExperiment); });
  copy_state(state_of(Modules(learner.modules.begin() + 1, learner.modules.end())), values,
             ExitCode::kCheckpoint, file);
  restore_tested_states(checkpoint, tested_keepers(learner), learner.parameters->values().device(),
                        file);
}

}  // namespace vitrine
