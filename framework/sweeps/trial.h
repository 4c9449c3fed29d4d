#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "framework/runs/metrics.h"
#include "framework/sweeps/dimension.h"

namespace vitrine {

// One run of a sweep, as it was planned.
struct Trial {
  std::string folder;             // below trials/
  std::string cell;               // the label that its seeds share
  nlohmann::ordered_json values;  // {"model.hidden_d": 8, ...}: what the sweep varies
  int64_t seed = 0;
  int64_t epochs = 1, steps_per_epoch = 1;  // of its config
  std::string device = "cpu";               // that it was planned for
  int64_t threads = 1;
  double cost = 0;        // in proportion to the time that it takes
  bool confirms = false;  // runs a winner again
  // The number of the config that it has, of those that the sweep began with, and what it makes of
  // the sweep's first cell's when it is resolved (see differences); null in sweeps of older
  // versions.
  size_t config = 0;
  nlohmann::ordered_json differences;
  // Of a search that learns: where the cell lies, and, of one that was proposed, what was known
  // then of earlier cells that no earlier one was proposed by (see Proposals).
  SearchPoint point;
  nlohmann::ordered_json saw;

  nlohmann::ordered_json json() const;  // for other programs
  nlohmann::ordered_json plan_json() const;
  static Trial from_json(const nlohmann::ordered_json& value, const std::string& where);
};

enum class TrialStatus {
  kWaiting,  // never started
  kQueued,   // waits for Slurm
  kRunning,
  kFinished,
  kStopped,      // by a signal, with a checkpoint
  kPaused,       // by asha, between two rungs
  kInterrupted,  // killed; goes on from its newest checkpoint
  kDiverged,
  kFailed,
};

std::string to_string(TrialStatus status);

// What the folder of a trial tells.
struct TrialState {
  TrialStatus status = TrialStatus::kWaiting;
  int64_t epoch = 0, step = 0;  // that have ended
  std::vector<double> values;   // of the sweep's metric, after each epoch
  std::optional<double> test;   // the same metric of the test
  double seconds = 0;           // of training
  std::string error;            // the last one that its output tells of, with all of its lines
  bool is_open = false;         // it failed since its folder could not be read or written just now
  bool lacks_room = false;      // it ended since its disk was full, and is to be run again
  std::string reason;           // of one that is queued: what it waits for, in Slurm's words
  std::vector<Change> changes;  // of what its results depend on, by resumes
  // When the metrics.json was written that this was read from; none where it is not running.
  std::optional<std::filesystem::file_time_type> written;

  // The best value of the first `epochs`.
  std::optional<double> best(bool larger_is_better, int64_t epochs = INT64_MAX) const;
  bool is_failed() const {
    return status == TrialStatus::kFailed || status == TrialStatus::kDiverged;
  }
};

// Reads run directory and output.
TrialState read_trial(const std::filesystem::path& run, const std::string& metric);
// Reads again a state that was read before: of a trial that is running still, only the epochs that
// came since.
void update_trial(TrialState& state, const std::filesystem::path& run, const std::string& metric);

// What a trial's process wrote to its standard output and standard error, one start after another.
// Where it ended in a way that leaves no other trace a last line tells how.
std::filesystem::path trial_output(const std::filesystem::path& run);
void record_exit_code(const std::filesystem::path& run, int code);
void record_signal(const std::filesystem::path& run, int signal);

}  // namespace vitrine
