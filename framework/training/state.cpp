#include "framework/training/state.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <fmt/format.h>

#include "framework/training/model.h"
#include "framework/training/tensors.h"

namespace vitrine {
namespace {

using Json = nlohmann::json;

Json sums_json(const Sums& sums) {
  return {{"values", sums.values}, {"images", sums.images}, {"steps", sums.steps}};
}

Sums sums_from(const Json& value) {
  return {value.at("values").get<std::vector<double>>(), value.at("images").get<int64_t>(),
          value.at("steps").get<int64_t>()};
}

Json state_json(const RunState& s) {
  Json out = {{"step", s.step},
              {"epoch", s.epoch},
              {"step_in_epoch", s.step_in_epoch},
              {"order_seed", s.order_seed},
              {"window", sums_json(s.window)},
              {"total", sums_json(s.total)},
              {"epochs_without_improvement", s.epochs_without_improvement},
              {"seconds", s.seconds},
              {"epoch_seconds", s.epoch_seconds},
              {"exact", s.exact}};
  if (s.best)
    out["best"] = {{"accuracy", s.best->accuracy}, {"loss", s.best->loss}, {"step", s.best->step}};
  if (s.best_stopping) out["best_stopping"] = *s.best_stopping;
  return out;
}

RunState state_from(const Json& value) {
  RunState out;
  out.step = value.at("step").get<int64_t>();
  out.epoch = value.at("epoch").get<int64_t>();
  out.step_in_epoch = value.at("step_in_epoch").get<int64_t>();
  out.order_seed = value.at("order_seed").get<int64_t>();
  out.window = sums_from(value.at("window"));
  out.total = sums_from(value.at("total"));
  out.epochs_without_improvement = value.at("epochs_without_improvement").get<int64_t>();
  out.seconds = value.at("seconds").get<double>();
  out.epoch_seconds = value.at("epoch_seconds").get<double>();
  out.exact = value.at("exact").get<bool>();
  if (value.contains("best")) {
    const Json& best = value.at("best");
    out.best = {best.at("accuracy").get<double>(), best.at("loss").get<double>(),
                best.at("step").get<int64_t>()};
  }
  if (value.contains("best_stopping")) out.best_stopping = value.at("best_stopping").get<double>();
  return out;
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

// Every tensor of a run, as it is written and restored, but for the generators.
std::map<std::string, Tensor> tensors_of(Learner& learner, const Tensor& average) {
  std::map<std::string, Tensor> out = with_prefix("model/", state_of(*learner.model));
  out.merge(optimizer_tensors(learner));
  if (average.defined()) out.merge(with_prefix("ema/", learner.parameters->by_name(average)));
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

void RunState::note_validation(double accuracy, double loss,
                               const std::optional<EarlyStopping>& stopping) {
  const bool is_best =
      !best || accuracy > best->accuracy || (accuracy == best->accuracy && loss < best->loss);
  if (is_best) best = {accuracy, loss, step};
  if (!stopping) return;
  const double value = stopping->metric == "validation/loss" ? -loss : accuracy;
  const bool improved = !best_stopping || value > *best_stopping + stopping->min_delta;
  if (improved) best_stopping = value;
  epochs_without_improvement = improved ? 0 : epochs_without_improvement + 1;
}

Checkpoint capture(const RunState& state, Learner& learner, const Tensor& average,
                   uint64_t rows_length, const Surroundings& surroundings) {
  Checkpoint out;
  for (const auto& [name, tensor] : tensors_of(learner, average))
    out.tensors.push_back(to_owned(name, tensor));
  out.tensors.push_back(to_owned(kGenerator, cpu_generator().get_state()));
  if (learner.parameters->values().is_cuda())
    out.tensors.push_back(to_owned(kCudaGenerator, cuda_generator().get_state()));
  out.state = {{"run", state_json(state)},
               {"rows_length", rows_length},
               {"dataset_sha256", surroundings.dataset_sha256},
               {"environment", surroundings.environment}};
  return out;
}

Restored restore(const Checkpoint& checkpoint, Learner& learner, Tensor& average,
                 const std::string& file) {
  std::map<std::string, Tensor> loaded = loaded_tensors(checkpoint, "");
  const Tensor generator = loaded[kGenerator], cuda = loaded[kCudaGenerator];
  loaded.erase(kGenerator);
  loaded.erase(kCudaGenerator);
  copy_state(tensors_of(learner, average), loaded, ExitCode::kCheckpoint, file);
  Restored out;
  try {
    out.state = state_from(checkpoint.state.at("run"));
    out.rows_length = checkpoint.state.at("rows_length").get<uint64_t>();
    out.surroundings = {checkpoint.state.at("dataset_sha256").get<std::string>(),
                        checkpoint.state.at("environment")};
    if (!generator.defined())
      throw Error(ExitCode::kCheckpoint, file + ": holds no state of the generator");
    cpu_generator().set_state(generator);
    if (cuda.defined() && learner.parameters->values().is_cuda()) cuda_generator().set_state(cuda);
  } catch (const Json::exception& error) {
    throw Error(ExitCode::kCheckpoint,
                fmt::format("{}: its state cannot be read: {}", file, escape(error.what())));
  }
  return out;
}

void restore_weights(const Checkpoint& checkpoint, Model& model, const std::string& file) {
  std::map<std::string, Tensor> values = loaded_tensors(checkpoint, "model/");
  for (auto& [name, tensor] : loaded_tensors(checkpoint, "ema/")) values[name] = tensor;
  copy_state(state_of(model), values, ExitCode::kCheckpoint, file);
}

}  // namespace vitrine
