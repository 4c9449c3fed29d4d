#include "framework/training/run_metrics.h"

#include <ATen/Version.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/version.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "framework/config/scalar.h"
#include "framework/denormals.h"
#include "framework/files/folder_digest.h"
#include "framework/files/sha256.h"
#include "framework/model/model.h"
#include "framework/model/recording.h"
#include "framework/ranks/ranks.h"
#include "framework/runs/build.h"
#include "framework/runs/checkpoint.h"
#include "framework/runs/environment.h"
#include "framework/runs/nonfinite.h"
#include "framework/training/backend.h"
#include "framework/training/weights_file.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

// What tests measure: of each task its targets of the data set's labels, its share in the loss and
// the loss of its own.
Json described_tasks(const std::vector<Task>& tasks) {
  Json out = Json::array();
  for (const Task& task : tasks) {
    std::string targets = fmt::format("{}", fmt::join(task.target_of_label, ","));
    if (task.column != kLabel) targets = task.column + ":" + targets;
    Json one = {{"name", task.name}, {"targets", sha256_hex(targets)}, {"weight", task.weight}};
    if (task.type != TaskType::kClassification) one["type"] = to_string(task.type);
    if (task.loss) one["loss"] = task.loss->write().json();
    out.push_back(std::move(one));
  }
  return out;
}

Json described_model(const Config& options, const Data& data, Model& model) {
  int64_t parameters = 0, flops = 0;
  for (const auto& parameter : model.parameters()) parameters += parameter.numel();
  const DatasetInfo& info = data.info;
  for (const LayerSummary& layer : layers_of(model, {info.channels, info.height, info.width}))
    flops += layer.flops;
  Json out = {
      {"type", options.model.type()}, {"parameters", parameters}, {"flops_per_image", flops}};
  out["tasks"] = described_tasks(model.tasks());
  return out;
}

// Goal and unit of every value that the run's rows and its summary hold.
std::map<std::string, MetricInfo> described_values(const Config& config, const Data& data,
                                                   const Learner& learner) {
  std::map<std::string, MetricInfo> out;
  for (const std::string split : {"train", "validation", "test"}) {
    if (split == "validation" && !data.validation) continue;
    if (split == "test" && !measures_tests(config, data.info)) continue;
    for (const Measure& measure : learner.experiment->measures()) {
      if (measure.is_of(split)) out[measure.in(split)] = measure.info;
    }
  }
  out["train/grad_norm"] = out["learning_rate"] = {"none", ""};
  out["seconds"] = {"min", "seconds"};
  out["images_per_second"] = {"max", "images/s"};
  out["peak_memory_bytes"] = {"min", "bytes"};
  return out;
}

Json described_keys(const ResolvedConfig& config) {
  Json out = Json::object();
  for (const Role role : {Role::kPlace, Role::kExecution, Role::kBookkeeping, Role::kLabel})
    out[to_string(role)] = Json::array();
  out["replicate"] = config.config->replicate;
  out["set"] = Json::array();
  for (const Key& key : config.keys) {
    if (out.contains(to_string(key.role)) && key.role != Role::kReplicate)
      out[to_string(key.role)].push_back(key.path);
    if (!key.is_default) out["set"].push_back(key.path);
  }
  return out;
}

Json described_execution(const ResolvedConfig& config) {
  Json out = Json::object();
  for (const Execution& one : config.execution)
    out[one.key] = {{"value", one.value}, {"derived", one.derived}, {"why", one.why}};
  return out;
}

// 16 hex digits: equal as long as libtorch and what it computes with are the same files. Libraries
// for GPUs count where one is used.
std::string libtorch_digest(bool uses_gpu) {
  Sha256 hash;
  for (const auto& [name, id] : loaded_code().torch) {
    const bool is_for_gpu = name.find("cu") != name.npos;
    if (uses_gpu || !is_for_gpu || name == "libtorch_cpu.so") hash.update(name + " " + id + "\n");
  }
  return hash.hex().substr(0, 16);
}

// What of the environment makes libtorch, oneDNN, MKL or the C library's functions compute other
// bits: "MKL_CBWR=COMPATIBLE"; empty where nothing is set.
std::string bit_settings() {
  constexpr const char* kNames[] = {"BLIS_ARCH_TYPE",
                                    "CUBLAS_WORKSPACE_CONFIG",
                                    "DNNL_CPU_ISA_HINTS",
                                    "DNNL_DEFAULT_FPMATH_MODE",
                                    "DNNL_MAX_CPU_ISA",
                                    "MKL_CBWR",
                                    "MKL_CBWR_BRANCH",
                                    "MKL_DEBUG_CPU_TYPE",
                                    "MKL_DISABLE_FAST_MM",
                                    "MKL_ENABLE_INSTRUCTIONS",
                                    "NVIDIA_TF32_OVERRIDE",
                                    "ONEDNN_CPU_ISA_HINTS",
                                    "ONEDNN_DEFAULT_FPMATH_MODE",
                                    "ONEDNN_MAX_CPU_ISA",
                                    "OPENBLAS_CORETYPE",
                                    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE"};
  std::string out;
  const auto add = [&](const std::string& text) { out += (out.empty() ? "" : " ") + text; };
  for (const char* name : kNames) {
    const char* value = std::getenv(name);
    if (value && *value) add(std::string(name) + "=" + value);
  }
  // Of the C library's tunables those that choose its functions by the CPU.
  const char* tunables = std::getenv("GLIBC_TUNABLES");
  std::stringstream parts(tunables ? tunables : "");
  for (std::string part; std::getline(parts, part, ':');) {
    if (part.starts_with("glibc.cpu.")) add(part);
  }
  return out;
}

Json environment_of(const Config& config) {
  Json out = describe_environment();
  out["torch"] = TORCH_VERSION;
  // ATEN_CPU_CAPABILITY can hold libtorch to less than the CPU has.
  std::string capability = at::get_cpu_capability();
  std::transform(capability.begin(), capability.end(), capability.begin(), ::tolower);
  out["torch_isa"] = capability;
  out["libtorch"] = libtorch_digest(config.device != "cpu");
  out["settings"] = bit_settings();
  out["denormals"] = flushes_denormals() ? "flushed" : "kept";
  out["threads"] = *config.threads;
  out["device"] = config.device;
  if (!ranks().is_alone()) {
    out["ranks"] = ranks().count();
    out["hosts"] = ranks().hosts();
  }
  return out;
}

}  // namespace

std::vector<std::string> places_of_results(const Config& config) {
  Config copy = config;
  return places_of(fields_of(copy), {"dataset", "plugins", "loggers"});
}

nlohmann::ordered_json contents_of(const ResolvedConfig& config, const Experiment& experiment) {
  Json out = Json::object();
  for (const std::string& path : places_of_results(*config.config)) {
    const Node* place = config.resolved.at_path(path);
    if (!place || place->kind != Node::Kind::kScalar || place->scalar.empty()) continue;
    if (const auto file = local_weights(place->scalar)) {
      out[path] = sha256_of_file(*file);
    } else if (const auto digest = folder_digest(place->scalar)) {
      out[path] = *digest;
    }
  }
  for (const auto& [name, digest] : told(experiment, "contents", &Experiment::contents))
    out[name] = digest;
  return out;
}

void describe(Metrics& metrics, const ResolvedConfig& config, const Data& data, Learner& learner) {
  const Config& options = *config.config;
  metrics.name = options.name;
  metrics.tags = options.tags;
  metrics.note = options.note;
  metrics.seed = options.seed;
  metrics.config = config.resolved.json();
  metrics.config_sha256 = sha256_hex(to_yaml(config.resolved));
  metrics.keys = described_keys(config);
  metrics.execution = described_execution(config);
  metrics.dataset = {{"type", options.dataset.type()},
                     {"sha256", data.fingerprint},
                     {"train", data.train->size()},
                     {"validation", data.validation ? data.validation->size() : 0},
                     {"test", data.test->size()},
                     {"test_sha256", data.test_fingerprint}};
  if (!data.info.test_has_labels) metrics.dataset["test_has_labels"] = false;
  metrics.model = described_model(options, data, *learner.model);
  metrics.environment = environment_of(options);
  metrics.metrics = described_values(options, data, learner);
  metrics.best_by = config.best_by;
}

nlohmann::json exactness_of(const Config& config) {
  const Json environment = environment_of(config);
  nlohmann::json out;
  for (const char* key : {"build", "torch", "libtorch", "cpu", "isa", "torch_isa", "settings",
                          "denormals", "threads", "device"})
    out[key] = environment.at(key);
  out["backend"] = config.backend;
  if (config.backend == kFused) out.erase("threads");
  // Its order of sums is that of the ranks.
  if (config.backend != kFused) out["ranks"] = ranks().count();
  return out;
}

Json row_of(const Sums& sums, const std::vector<Measure>& measures) {
  Json row = values_of(measures, "train", sums.values.data(), sums.images);
  row["train/grad_norm"] = sums.gradient_norms / static_cast<double>(sums.steps);
  return row;
}

std::string epoch_line(const Json& row, const std::vector<Measure>& measures, int64_t epochs) {
  std::string line = fmt::format("epoch {} of {}: {}", row.at("epoch").get<int64_t>(), epochs,
                                 values_text(measures, "train", row));
  const std::string validation = values_text(measures, "validation", row);
  if (!validation.empty()) line += "; validation " + validation;
  return line + fmt::format("; {:.2f} s, {:.0f} images/s", row.at("seconds").get<double>(),
                            row.at("images_per_second").get<double>());
}

Json test_json(const Data& data, const std::string& checkpoint, const Evaluation& test) {
  Json out = {{"format", 2},
              {"checkpoint", checkpoint},
              {"images", data.test->size()},
              {"chw", {data.info.channels, data.info.height, data.info.width}},
              {"tasks", test.tasks}};
  name_nonfinite(out);
  return out;
}

Json summary_of(const Metrics& metrics, const Json& test, double seconds) {
  Json out = test;
  for (const Json& row : metrics.history) {
    const bool is_tested = checkpoint_name(row.at("step")) == metrics.test.value("checkpoint", "");
    const bool is_last = &row == &metrics.history.back();
    for (const auto& [key, value] : row.items()) {
      const bool validation = key.starts_with("validation/");
      if (validation ? is_tested : is_last && key.starts_with("train/")) out[key] = value;
    }
  }
  out["seconds"] = seconds;
  out["peak_memory_bytes"] = peak_memory_bytes();
  return out;
}

}  // namespace vitrine
