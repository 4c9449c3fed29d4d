#include <fmt/format.h>

#include <algorithm>

#include "framework/runs/environment.h"
#include "framework/training/ending.h"
#include "framework/training/run.h"

// How a run is taken up again.
namespace vitrine {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

void Run::restore() {
  directory_ = RunDirectory::open(*request_.run_dir);
  lock_.emplace(directory_->path());
  log_.open(directory_->log());
  if (fs::exists(directory_->metrics())) metrics_ = Metrics::of_run(directory_->metrics());
  if (metrics_.started.empty()) metrics_.started = utc_now();
  rows_.emplace(directory_->rows());
  const auto restored = restore_newest();
  if (restored) {
    go_on_from(*restored);
  } else {
    surroundings_.contents = contents_of(*request_.config);
    if (!metrics_.last_checkpoint.empty()) {
      throw Error(
          ExitCode::kCheckpoint,
          fmt::format("{}: the run's checkpoints are gone, {} and all before it; start a new run",
                      escape(directory_->checkpoints().string()),
                      escape(metrics_.last_checkpoint)));
    }
    log_.message("no checkpoint yet: the run starts at step 0");
  }
  for (Change change : request_.config->changes) {
    // Where all is to come anew the run has its values from the start.
    if (!restored) continue;
    change.step = state_.step;
    if (restarts_stopping(change.key)) {
      state_.best_stopping.reset();
      state_.epochs_without_improvement = 0;
    }
    note_change(std::move(change));
  }
  rows_->cut(restored ? restored->rows_length : 0);
  read_history();
  // Of the end that the run had before; it is to have another.
  metrics_.test = metrics_.summary = Json::object();
  describe();
  metrics_.exact = state_.exact;
  metrics_.set_status(RunStatus::kRunning);
  metrics_.finished.clear();
  metrics_.stopped_by.clear();
  file_.emplace(directory_->metrics());
  file_->write(metrics_);
}

// Says and keeps what this resume changes.
void Run::note_change(Change change) {
  const std::string to = escape(change.to.dump()), from = escape(change.from.dump());
  if (surroundings_.environment.contains(change.key.substr(change.key.rfind('.') + 1)) &&
      !request_.config->resolved.at_path(change.key)) {
    log_.warning(fmt::format(
        "this run goes on with another value of {} ({}, was {}): its results are no longer exact",
        change.key.substr(change.key.rfind('.') + 1), to, from));
  } else {
    const std::string what =
        fmt::format("{} is {} from step {} on, was {}", change.key, to, change.step, from);
    if (change.exact) log_.message(what);
    if (!change.exact) log_.warning(what + ": this run's results are no longer exact");
  }
  state_.exact &= change.exact;
  // A run that is killed before its next checkpoint notes the same once more.
  const auto same = [&](const Change& known) { return known.json() == change.json(); };
  if (std::none_of(state_.changes.begin(), state_.changes.end(), same))
    state_.changes.push_back(std::move(change));
}

void Run::read_history() {
  metrics_.history.clear();
  try {
    for (Json& row : read_epochs(directory_->rows())) metrics_.add_epoch(std::move(row));
  } catch (const Error& error) {
    throw Error(ExitCode::kCheckpoint,
                fmt::format("the run's metrics are unusable: {}", error.what()));
  }
}

// From the newest checkpoint that can be gone on from; those before it are warned of.
std::optional<Restored> Run::restore_newest() {
  std::optional<Restored> out;
  const auto loaded = load_latest(
      directory_->checkpoints(), [&](const Checkpoint& checkpoint, const fs::path& file) {
        const std::string name = escape(file.string());
        Restored restored = vitrine::restore(checkpoint, learner_, average_, name);
        check_consistent(restored, file);
        out = std::move(restored);
      });
  if (!loaded) return std::nullopt;
  for (const std::string& warning : loaded->warnings) log_.warning(warning);
  const std::string& named = metrics_.last_checkpoint;
  const fs::path file = directory_->checkpoints() / (named + ".safetensors");
  if (step_of_checkpoint(named).value_or(0) > out->state.step && !fs::exists(file)) {
    log_.warning(fmt::format("the checkpoint {}, the last that metrics.json names, is gone",
                             escape(file.string())));
  }
  return out;
}

// That a state agrees with itself, with the file and with metrics.jsonl. Other data are refused
// later, in other words.
void Run::check_consistent(const Restored& restored, const fs::path& file) const {
  if (restored.surroundings.dataset_sha256 != data_.fingerprint) return;
  const RunState& state = restored.state;
  const auto require = [&](bool holds, const std::string& what) {
    if (holds) return;
    throw Error(ExitCode::kCheckpoint, fmt::format("the checkpoint {} is unusable: its state {}",
                                                   escape(file.string()), what));
  };
  require(step_of_checkpoint(file.filename()) == state.step,
          fmt::format("is that of step {}", state.step));
  const int64_t in_epoch = state.step_in_epoch;
  require(in_epoch <= std::min(steps_per_epoch_, state.step) &&
              (state.step - in_epoch) % steps_per_epoch_ == 0 &&
              (state.step - in_epoch) / steps_per_epoch_ == state.epoch,
          fmt::format("is of epoch {} and step {} in it, which is not step {} at {} steps an epoch",
                      state.epoch, in_epoch, state.step, steps_per_epoch_));
  for (const Sums* sums : {&state.window, &state.total}) {
    require(sums->values.size() == state_.total.values.size() && sums->steps <= in_epoch &&
                sums->images >= sums->steps && sums->images <= images_per_epoch_,
            "holds sums of another epoch");
  }
  require(state.window.steps + state.total.steps == in_epoch, "holds sums of another epoch");
  require(!state.best || state.best->step <= state.step, "has a best step that is to come");
  require(restored.rows_length <= rows_->size(),
          fmt::format("was saved with {} bytes of metrics.jsonl, which has {} now",
                      restored.rows_length, rows_->size()));
  const uint64_t end = restored.rows_length;
  require(
      end == 0 || read_file_part(directory_->rows(), end - 1, 1) == "\n",
      fmt::format("was saved with {} bytes of metrics.jsonl, which end in the midst of a row now",
                  end));
}

void Run::go_on_from(const Restored& restored) {
  const std::string where = escape(directory_->path().string());
  if (restored.surroundings.dataset_sha256 != data_.fingerprint) {
    throw Error(ExitCode::kCheckpoint,
                fmt::format("{}: the data have changed since this run was started (their SHA-256 "
                            "is {}, was {}); start a new run",
                            where, data_.fingerprint.substr(0, 12),
                            escape(restored.surroundings.dataset_sha256.substr(0, 12))));
  }
  check_places(restored.surroundings.contents);
  if (restored.state.step > total_steps_) {
    throw Error(ExitCode::kCheckpoint,
                fmt::format("{}: training.epochs and training.max_steps now end at step {}, and "
                            "this run is at step {} already; it can only be taken further",
                            where, total_steps_, restored.state.step));
  }
  if (request_.stop_after && *request_.stop_after <= restored.state.step) {
    throw Error(ExitCode::kUsage,
                fmt::format("{}: --stop-after {} lies behind: the run is at step {} already", where,
                            *request_.stop_after, restored.state.step));
  }
  state_ = restored.state;
  check_best();
  sums_.copy_(at::tensor(state_.window.values, at::kDouble));
  note_checkpoint();  // metrics.json is written later than a checkpoint, and may not know of it
  // What an earlier resume changed is in config.yaml by now; until the next checkpoint,
  // metrics.json alone knows of it.
  state_.exact &= metrics_.exact;
  if (metrics_.changes.size() > state_.changes.size()) state_.changes = metrics_.changes;
  const auto& before = restored.surroundings.environment;
  for (const auto& [key, value] : surroundings_.environment.items()) {
    const auto was = before.value(key, nlohmann::json());
    // The length of the run is no surrounding, but what a schedule computes with.
    const std::string name = key == "total_steps" ? key : "environment." + key;
    if (was != value) note_change({state_.step, name, Json(was), Json(value), false});
  }
  log_.message(fmt::format("going on from {} (step {} of {})", checkpoint_name(state_.step),
                           state_.step, total_steps_));
}

// A file may have moved; another one would not have begun this run.
void Run::check_places(const nlohmann::ordered_json& before) {
  const auto now = contents_of(*request_.config);
  for (const auto& [key, digest] : before.items()) {
    const Node* place = request_.config->resolved.at_path(key);
    const bool is_named = place && place->kind == Node::Kind::kScalar;
    // A file that is gone is not needed any more: its weights are in the checkpoint.
    if (is_named && !now.contains(key)) continue;
    if (now.contains(key) && now[key] == digest) continue;
    throw Error(ExitCode::kCheckpoint,
                fmt::format("{}: {} is not what this run began with (SHA-256 {}, was {}); start a "
                            "new run for it",
                            escape(directory_->path().string()), key,
                            is_named ? now[key].get<std::string>().substr(0, 12) : "of nothing",
                            escape(digest.get<std::string>().substr(0, 12))));
  }
  for (const auto& [key, digest] : now.items()) {
    if (before.contains(key)) continue;
    throw Error(ExitCode::kCheckpoint,
                fmt::format("{}: {} was not given when this run began; start a new run for it",
                            escape(directory_->path().string()), key));
  }
  surroundings_.contents = before;
}

// Found missing or useless now, not when the run is to be tested.
void Run::check_best() {
  if (!state_.best || state_.best->step == state_.step) return;
  const fs::path file = checkpoint_file(directory_->checkpoints(), state_.best->step);
  try {
    tested_weights(load_checkpoint(file), model(), escape(file.string()));
  } catch (const Error& error) {
    log_.warning(
        fmt::format("{}; the best is chosen among the epochs from here on: the run's "
                    "results are no longer exact",
                    error.what()));
    state_.best.reset();
    state_.exact = false;
  }
}

}  // namespace vitrine
