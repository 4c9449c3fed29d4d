#include "framework/training/derive.h"

#include <ATen/Context.h>
#include <fmt/format.h>

#include <cstdlib>

#include "framework/memory.h"
#include "framework/model/model.h"
#include "framework/model/recording.h"
#include "framework/training/devices.h"
#include "framework/training/setup.h"
#include "framework/training/threads.h"

namespace vitrine {
namespace {

// Whether Slurm has given this job a GPU.
bool holds_gpu() {
  const auto value = [](const char* name) {
    const char* out = std::getenv(name);
    return std::string(out ? out : "");
  };
  if (!value("SLURM_JOB_GPUS").empty() || !value("SLURM_STEP_GPUS").empty()) return true;  // which
  const std::string count = value("SLURM_GPUS_ON_NODE");
  return !count.empty() && count != "0";
}

bool has_device(const std::string& name) {
  return name == "cuda" ? cuda_devices() > 0 : name != "mps" || at::hasMPS();
}

Execution best_device() {
  for (const std::string device : {"cuda", "mps"}) {
    if (has_device(device)) return {"device", device, true, "a GPU is here"};
  }
  const std::string problem = cuda_problem();
  if (holds_gpu())
    return {"device", "cpu", true, kUnusedGpu + (problem.empty() ? "" : ": " + problem)};
  return {"device", "cpu", true,
          problem.empty() ? "no GPU is here" : "a GPU that cannot be used: " + problem};
}

// A forward pass in libtorch of fewer operations a step than this is faster on one thread: to wake
// the others costs more than they give. On 2 cores the tutorial's model (3e7) lost a third of its
// speed to the second thread.
constexpr double kFlopsForThreads = 1e9;

std::string shown_bytes(uint64_t bytes) {
  const double mega = static_cast<double>(bytes) / 1e6;
  return mega < 1000 ? fmt::format("{:.3g} MB", mega) : fmt::format("{:.3g} GB", mega / 1000);
}

}  // namespace

Execution pick_device(const std::string& wanted, const Node& written, const Derived& before) {
  if (wanted == "auto")
    return before.device && has_device(before.device->value) ? *before.device : best_device();
  if (has_device(wanted)) return {"device", wanted, false, kAskedFor};
  const std::string problem = wanted == "cuda" ? escape(cuda_problem()) : "";
  const Node* node = written.find("device");
  Problems problems;
  problems.add(
      node ? node->location : Location(),
      "device: there is no " + wanted + " device here" + (problem.empty() ? "" : ": " + problem),
      "device=auto takes the best that there is");
  throw Error(ExitCode::kUsage, problems.text("config"));
}

Execution pick_backend(const Config& config, const BackendChoice& choice, const Node& written,
                       const Derived& before, const std::string& file) {
  const bool is_bfloat16 = config.training.precision == kBfloat16;
  if (config.backend == "auto" && is_bfloat16)
    return {"backend", kLayers, true, "training.precision is bfloat16"};
  if (config.backend == kFused && is_bfloat16) {
    const Node* node = written.find("backend");
    Problems problems;
    problems.add(node ? node->location : Location(),
                 fmt::format("backend: {} computes in float32 alone, and training.precision is {}",
                             kFused, kBfloat16),
                 fmt::format("{} computes in bfloat16", kLayers));
    throw ConfigError(problems, file, true);
  }
  if (config.backend == "auto") {
    const bool serves =
        before.backend && (before.backend->value == kLayers || choice.value == kFused);
    if (serves) return *before.backend;
    return {"backend", choice.value, true, choice.reason};
  }
  if (config.backend == kFused && choice.value != kFused) {
    const Node* node = written.find("backend");
    Problems problems;
    problems.add(node ? node->location : Location(),
                 fmt::format("backend: {} cannot execute this model: {}", kFused, choice.reason),
                 fmt::format("{} executes every model", kLayers));
    throw ConfigError(problems, file, true);
  }
  return {"backend", config.backend, false, kAskedFor};
}

Execution pick_threads(const Config& config, Model& model, const std::vector<int64_t>& images,
                       const Derived& before) {
  if (config.threads) return {"threads", *config.threads, false, kAskedFor};
  if (before.threads) return *before.threads;
  const Execution all = {"threads", compute_threads(), true, "one a core that this may use"};
  if (config.device != "cpu" || config.backend == kFused) return all;
  double flops = 0;
  for (const LayerSummary& layer : layers_of(model, images))
    flops += static_cast<double>(layer.flops);
  if (flops * static_cast<double>(config.training.batch_size) >= kFlopsForThreads) return all;
  return {"threads", 1, true, "a step is too short for more"};
}

Execution pick_memory(const Config& config, const DatasetInfo& info) {
  constexpr const char* kKey = "dataset.memory";
  const DatasetOptions& options = config.dataset_options();
  if (options.memory != "auto") return {kKey, options.memory, false, kAskedFor};
  if (!info.can_stream) return {kKey, kResident, true, "the data set has its images whole"};
  if (preparation_of(config, info).takes_any_size())
    return {kKey, kStream, true, "a transform takes images as they are stored, of any size"};
  const auto bytes = static_cast<uint64_t>(info.train + info.validation + info.test) *
                     static_cast<uint64_t>(info.channels * info.height * info.width);
  const uint64_t left = available_memory();
  const std::string why = fmt::format("its images take {}", shown_bytes(bytes));
  if (bytes <= left / 2) return {kKey, kResident, true, why};
  return {kKey, kStream, true, fmt::format("{}, and {} are left", why, shown_bytes(left))};
}

}  // namespace vitrine
