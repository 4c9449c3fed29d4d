#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "framework/runs/lock.h"
#include "framework/sweeps/frozen_code.h"
#include "framework/sweeps/launch_environment.h"
#include "framework/sweeps/plan.h"
#include "framework/sweeps/trial.h"

namespace vitrine {

class ObjectReader;

// Whether `folder` holds a sweep (a sweep.yaml and the plan beside it). Throws Error(kData) where
// that cannot be told.
bool holds_sweep(const std::filesystem::path& folder);

// The sweep that a trial's folder belongs to; empty where there is none, or none that can be read.
std::filesystem::path sweep_of(const std::filesystem::path& run);

// An array job that was submitted, with the trials of each of its tasks. It is noted before sbatch
// is asked, so that no job is forgotten.
struct SlurmJob {
  std::string id;       // empty: whether Slurm has taken it is not known
  std::string cluster;  // that sbatch named; empty: none
  std::vector<std::vector<size_t>> tasks;

  nlohmann::ordered_json json() const;
  static SlurmJob from_json(const nlohmann::ordered_json& value, const std::string& where,
                            size_t trials);
};

// How many trials a sweep got, and how many it had.
struct Growth {
  size_t added = 0, there = 0;
};

// A sweep's folder:
//   sweep.yaml  what was asked for; `runner sweep` takes it again
//   plan.json   the trials, and their configs
//   build/      the program and the libraries that they run
//   trials/     a run directory each, with its config from the start
//   slurm/      the scripts that were submitted, and what they wrote
//   sweep.json  where the trials stand, for other programs; what counts are the run directories
//   best        a link to the run that stands for it, once all have ended
class Sweep {
 public:
  static constexpr const char* kBest = "best";
  static constexpr int64_t kFormat = 1;

  // Freezes configs and code. `folder`: empty for a fresh one, runs/<name>/<id>. Throws
  // Error(kUsage) where it holds a sweep, a run or a part of one, Error(kFailed) where it cannot be
  // written, and leaves no part. What a process that was killed while it made a sweep left there is
  // taken away first.
  static Sweep create(const SweepSpec& spec, const Plan& plan, const std::filesystem::path& folder);
  // Opens it to look at. Throws Error(kUsage) where there is none, Error(kCheckpoint) where it is
  // damaged.
  static Sweep open(const std::filesystem::path& folder);
  // Opens it to go on with: other runners are kept away, before anything is read, until this ends,
  // and what a process left that was killed while it made the sweep larger is completed or undone.
  // Throws Error(kFailed) where there is another one, too.
  static Sweep open_locked(const std::filesystem::path& folder);
  // RunLock::warning, of a sweep that this keeps.
  std::string lock_warning() const { return lock_ ? lock_->warning() : ""; }

  // What it has, for a plan that makes it larger, and the configs that it began with. Throws
  // Error(kUsage) where an older version made it, which kept no configs.
  Grown grown() const;
  const std::vector<BaseConfig>& configs() const { return configs_; }
  // What its trials find around them.
  const LaunchEnvironment& launch_environment() const { return launch_environment_; }
  // Adds the trials of the plan that are not there yet, all or none; frozen as the others are.
  Growth grow(const SweepSpec& spec, const Plan& plan);
  // Adds the trials of a cell that was proposed, with what the search saw, and returns them. It is
  // written down with them, all or nothing. `left_out`: the impossible cells so far.
  std::vector<size_t> add_proposed(const Cell& cell, nlohmann::ordered_json saw,
                                   const std::vector<LeftOut>& left_out);
  // No more cells come: there are none that are possible.
  void end_search(const std::vector<LeftOut>& left_out);
  // Makes anew what of a trial's folder is gone or unusable; what was there is kept in the sweep's
  // hidden folder .damaged. Of a trial that is to be tried again checkpoints are looked at as well.
  // Tells what was wrong; empty where nothing was. Throws Error where that cannot be done.
  std::string mend(size_t trial, bool retry_failed);
  // Mends all of them, a line each. Folders that cannot be made anew are no reason to leave the
  // others alone: these trials have failed, or wait for room on the disk.
  std::vector<std::string> mend(bool retry_failed);
  // A trial that cannot even be started, or read. Where the system was to blame, and may do it the
  // next time, it is open.
  void set_failed(size_t trial, const Error& error);
  // One that waits for room on the disk, to be run again.
  void set_out_of_room(size_t trial, const std::string& error);
  // The trial's, as it was frozen; of a sweep of an older version what its folder has.
  Node config(size_t trial) const { return config(trials_[trial]); }

  const std::filesystem::path& path() const { return path_; }
  const SweepOptions& options() const { return options_; }
  const ChosenBy& chosen_by() const { return chosen_by_; }
  bool has_best() const { return has_best_; }
  int64_t jobs() const { return jobs_; }
  const std::vector<LeftOut>& left_out() const { return left_out_; }
  // Cells that a search proposes once it knows more of those that there are.
  int64_t to_come() const { return to_come_; }
  // Trials, with those of cells that are to come.
  size_t planned_trials() const;
  const std::vector<Trial>& trials() const { return trials_; }
  std::filesystem::path folder(size_t trial) const {
    return path_ / "trials" / trials_[trial].folder;
  }
  // A trial's folder below the sweep's: "trials/0001-lr-1".
  std::filesystem::path run(size_t trial) const {
    return std::filesystem::path("trials") / trials_[trial].folder;
  }
  std::optional<size_t> find(const std::filesystem::path& run) const;
  // Whether winners are run again on fresh seeds.
  bool is_confirming() const;
  // Whether no winner was run again since the sweep got its last trial.
  bool is_unconfirmed() const { return trials_.empty() || !trials_.back().confirms; }
  std::filesystem::path program() const { return path_ / "build" / "runner"; }

  // The state as last read.
  const TrialState& state(size_t trial) const { return states_[trial]; }
  void refresh(size_t trial);
  void set_status(size_t trial, TrialStatus status) { states_[trial].status = status; }
  // It waits in Slurm's queue for this, in Slurm's words.
  void set_queued(size_t trial, const std::string& reason);
  // How it ended, where its folder does not tell.
  void set_end(size_t trial, const std::string& error) { states_[trial].error = error; }
  void refresh();
  std::optional<double> value(size_t trial) const;        // of the metric; the best epoch's
  nlohmann::ordered_json state_json(size_t trial) const;  // for other programs
  // Writes sweep.json. That it cannot be written is told to `on_warning`, once.
  void note_states() const;
  // What is to be known and ends nothing.
  void on_warning(std::function<void(const std::string&)> tell) { warn_ = std::move(tell); }

  // The trial that stands for the sweep, as it was noted last.
  std::optional<size_t> best() const { return best_; }
  // Whether the link leads to it: not all file systems have links.
  bool has_best_link() const;
  // Notes it in sweep.json, and points the link to it; that it cannot is told to `on_warning`.
  void set_best(std::optional<size_t> trial);

  // Adds runs of trials that are there with other seeds, all of them or none.
  struct Confirming {
    size_t like;
    int64_t seed;
  };
  void add_confirmations(const std::vector<Confirming>& runs);
  void write_plan() const;

  // What tells its jobs from others.
  const std::string& id() const { return id_; }
  // Those submitted so far, in order.
  const std::vector<SlurmJob>& slurm_jobs() const { return slurm_jobs_; }
  void add_slurm_job(SlurmJob job);  // writes the plan, too
  void set_slurm_id(size_t job, const std::string& id, const std::string& cluster);

 private:
  explicit Sweep(std::filesystem::path path) : path_(std::move(path)) {}
  void add(const Cell& cell, const Node& config, const std::optional<Trial>& sibling, int64_t seed);
  void freeze(const SweepSpec& spec, const Plan& plan);
  Growth add_trials(const Plan& plan, FrozenCode& code);
  void add_confirmation(const Confirming& run);
  void extend(const std::function<void()>& add);
  void settle() const;
  void remove_temporaries() const;
  void take(const SweepSpec& spec, const Plan& plan);
  void name_cells(const Plan& plan);
  static Sweep at(const std::filesystem::path& folder);
  void read();
  void read_plan();
  void learn_chosen_by();
  void read_trials(ObjectReader& plan, const std::string& where);
  Node config(const Trial& trial) const;
  // A config with these values, as it was written: its texts may refer to other keys.
  Node written(size_t config, const nlohmann::ordered_json& values) const;
  void write_config(const Trial& trial) const;
  nlohmann::ordered_json frozen() const;
  void thaw(const nlohmann::ordered_json& value, const std::string& where);
  std::filesystem::path set_aside(const std::filesystem::path& path) const;

  std::filesystem::path path_;
  std::string id_;
  SweepOptions options_;
  ChosenBy chosen_by_;
  bool has_best_ = false;
  int64_t jobs_ = 1;
  std::vector<LeftOut> left_out_;
  uint64_t drawn_ = 0;
  int64_t to_come_ = 0;
  LaunchEnvironment launch_environment_;
  std::vector<BaseConfig> configs_;
  FrozenCode::Plugins plugins_;
  Node first_config_;  // of the first cell, resolved
  std::vector<Trial> trials_;
  std::vector<TrialState> states_;
  std::vector<SlurmJob> slurm_jobs_;
  std::optional<size_t> best_;
  std::optional<RunLock> lock_;
  std::string spec_sha256_;  // of the sweep.yaml that was written with the plan
  std::function<void(const std::string&)> warn_;
  mutable bool has_warned_ = false;  // of sweep.json
};

}  // namespace vitrine
