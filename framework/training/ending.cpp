#include "framework/training/ending.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "framework/data/splits.h"
#include "framework/runs/run_directory.h"
#include "framework/training/workload.h"

namespace vitrine {
namespace {

std::string counted(int64_t epochs) {
  return epochs == 1 ? "1 epoch" : fmt::format("{} epochs", epochs);
}

// What is damaged is told where a run goes on from it.
std::optional<Loaded> newest_checkpoint(const RunDirectory& run) {
  try {
    return load_latest(run.checkpoints());
  } catch (const Error& error) {
    if (error.system_code() != 0) throw;
    return std::nullopt;
  }
}

// What takes a run further that has done all its steps.
std::string longer(const TrainingOptions& options, int64_t epoch_steps) {
  const int64_t steps = options.epochs * epoch_steps;
  if (!options.max_steps || *options.max_steps > steps) return "training.epochs=N takes it further";
  return fmt::format("training.max_steps=N (now {}){} it further", *options.max_steps,
                     *options.max_steps < steps ? " takes" : " and training.epochs=N take");
}

bool has(const std::vector<std::string>& changes, const char* key) {
  return std::find(changes.begin(), changes.end(), key) != changes.end();
}

// Whether one of the limits that were changed lies beyond the step.
bool asks_for_more(const std::vector<std::string>& changes, const TrainingOptions& options,
                   int64_t epoch_steps, int64_t step) {
  const bool by_steps = !options.max_steps || *options.max_steps > step;
  return (has(changes, "training.epochs") && options.epochs * epoch_steps > step) ||
         (has(changes, "training.max_steps") && by_steps);
}

// Whether validation has not improved for as many epochs as training.early_stopping bears.
bool stopped_early(const Checkpoint& checkpoint, const TrainingOptions& options) {
  const nlohmann::json kept = kept_by(checkpoint, "training.early_stopping");
  const nlohmann::json waited =
      kept.is_object() ? kept.value("epochs_without_improvement", nlohmann::json()) : kept;
  return options.early_stopping && waited.is_number_integer() &&
         waited >= options.early_stopping->patience;
}

}  // namespace

bool restarts_stopping(const std::string& key) {
  return key == "training.early_stopping.metric" || key == "training.early_stopping.min_delta";
}

bool stops_later(const Change& change) {
  if (change.key == "training.early_stopping") return change.to.is_null();
  return change.key == "training.early_stopping.patience" && change.to.is_number() &&
         change.from.is_number() && change.to > change.from;
}

std::string nothing_left(const TrainRequest& request, const std::vector<std::string>& changes) {
  const RunDirectory run = RunDirectory::open(*request.run_dir);
  const Config& config = *request.config->config;
  const TrainingOptions& options = config.training;
  const auto newest = newest_checkpoint(run);
  if (!newest) return "";
  const RunState state = read_state(newest->checkpoint, escape(newest->file.string())).state;
  const int64_t images = training_images(config.dataset_options(), info_of(config.dataset));
  const int64_t total = total_steps(options, images);
  const std::string where = escape(request.run_dir->string());
  if (state.step == total) {
    const int64_t epoch_steps = steps_per_epoch(options, images);
    const bool tells = changes.empty() || asks_for_more(changes, options, epoch_steps, state.step);
    return tells ? fmt::format("{} is finished; {}", where, longer(options, epoch_steps)) : "";
  }
  const bool counts_anew = std::any_of(changes.begin(), changes.end(), restarts_stopping);
  if (state.step > total || counts_anew || !stopped_early(newest->checkpoint, options)) return "";
  return fmt::format(
      "{} is finished: early stopping ended it after epoch {}, and nothing is left of its {}; "
      "training.early_stopping=null or a larger training.early_stopping.patience (now {}) takes "
      "it further",
      where, state.epoch, counted(options.epochs), options.early_stopping->patience);
}

}  // namespace vitrine
