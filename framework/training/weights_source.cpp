#include "framework/training/weights_source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "framework/files/json.h"
#include "framework/model/model.h"
#include "framework/runs/metrics.h"
#include "framework/training/model_plugins.h"
#include "framework/training/state.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

// The step of the best checkpoint so far; none where no epoch has been validated.
std::optional<int64_t> best_step(const RunDirectory& run) {
  const Metrics metrics = Metrics::of_run(run.metrics());
  if (metrics.status != RunStatus::kRunning) return step_of_checkpoint(metrics.best_checkpoint);
  // While a run goes on its metrics.json is older than its newest checkpoint, which knows as well.
  const nlohmann::json::json_pointer place("/run/best/step");
  const auto latest = load_latest(run.checkpoints());
  if (!latest || !latest->checkpoint.state.contains(place)) return std::nullopt;
  return json_integer(latest->checkpoint.state.at(place), escape(latest->file.string()), 0);
}

// The model of a checkpoint, without its weights. One of an earlier version does not describe it:
// the config does, with the data set at hand.
ModelFile model_in(const Checkpoint& checkpoint, const RunDirectory& run, const std::string& file) {
  if (checkpoint.state.contains(kDescribedModel)) {
    load_plugins_of(run.path());
    return model_of(checkpoint.state.at(kDescribedModel), file);
  }
  const auto resolved = resolve(load_config({run.config().path(), {"device=cpu"}, {}}),
                                run.config().path().string(), /*loads_weights=*/false);
  const Config& config = *resolved->config;
  const DatasetInfo info = info_of(config.dataset);
  return model_of(describe_model(*config.model.create(model_context(config, info)), config, info),
                  file);
}

}  // namespace

// The checkpoint that "best", "last" or a step means in a run.
Place find_checkpoint(const RunDirectory& run, const std::string& which) {
  const auto steps = checkpoint_steps(run.checkpoints());
  const std::string where = escape(run.path().string());
  if (steps.empty()) throw Error(ExitCode::kCheckpoint, where + ": the run has no checkpoint yet");
  const Folder folder = Folder::open(run.checkpoints());
  if (which == "last") return checkpoint_file(folder, steps.back());
  if (which == "best") return checkpoint_file(folder, best_step(run).value_or(steps.back()));
  int64_t step = 0;
  const auto result = std::from_chars(which.data(), which.data() + which.size(), step);
  const bool number = result.ec == std::errc() && result.ptr == which.data() + which.size();
  if (number && std::find(steps.begin(), steps.end(), step) != steps.end())
    return checkpoint_file(folder, step);
  throw Error(
      ExitCode::kUsage,
      fmt::format("{}: there is no checkpoint \"{}\"; there are best, last and the steps {}", where,
                  escape(which), fmt::join(steps, ", ")));
}

// A model ready for use, from a run or a model.safetensors.
ModelFile open_model(const WeightsSource& source) {
  if (fs::is_regular_file(source.path)) {
    if (!source.checkpoint.empty())
      throw Error(ExitCode::kUsage, "--checkpoint chooses among those of a run; " +
                                        escape(source.path.string()) + " is a file");
    return load_model(source.path);
  }
  const RunDirectory run = RunDirectory::open(source.path);
  if (source.checkpoint.empty() && exists(run.model())) return load_model(run.model());
  const Place file = find_checkpoint(run, source.checkpoint.empty() ? "best" : source.checkpoint);
  const Checkpoint checkpoint = load_checkpoint(file);
  ModelFile out = model_in(checkpoint, run, file.shown());
  restore_weights(checkpoint, {{"", out.model}}, out.file);
  warn_of_other_plugins(run);
  return out;
}

}  // namespace vitrine
