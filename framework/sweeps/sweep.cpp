#include "framework/sweeps/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "framework/config/scalar.h"
#include "framework/config/yaml.h"
#include "framework/files/file.h"
#include "framework/files/paths.h"
#include "framework/files/temporary_file.h"
#include "framework/runs/environment.h"
#include "framework/runs/run_directory.h"
#include "framework/sweeps/damage.h"
#include "framework/sweeps/disk_space.h"
#include "framework/sweeps/frozen_config.h"
#include "framework/sweeps/parts.h"
#include "framework/sweeps/ranking.h"

namespace vitrine {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

bool holds_sweep(const fs::path& folder) {
  return vitrine::exists(folder / "sweep.yaml") && vitrine::exists(folder / "plan.json");
}

fs::path sweep_of(const fs::path& run) {
  const fs::path trials = fs::absolute(run).lexically_normal().parent_path();
  try {
    const bool within = trials.filename() == "trials" && holds_sweep(trials.parent_path());
    return within ? trials.parent_path() : fs::path();
  } catch (const Error&) {  // whoever needs the sweep says what is wrong
    return {};
  }
}

Node Sweep::config(const Trial& trial) const {
  if (trial.differences.is_null())
    return read_yaml(path_ / "trials" / trial.folder / "config.yaml");
  return with_differences(first_config_, trial.differences);
}

Node Sweep::written(size_t config, const Json& values) const {
  if (config >= configs_.size()) return Node::mapping();  // an older version kept none
  std::vector<Setting> settings;
  for (const auto& [path, value] : values.items()) settings.push_back({path, thawed(value)});
  std::stable_sort(settings.begin(), settings.end(), [](const Setting& a, const Setting& b) {
    return depth_of(a.path) < depth_of(b.path);
  });
  Node out = configs_[config].written;
  for (const Setting& setting : settings) set_value(out, setting.path, setting.value);
  return out;
}

void Sweep::write_config(const Trial& trial) const {
  const fs::path run = path_ / "trials" / trial.folder;
  Folder::make(run);
  remove_temporaries_of(run / "config.yaml");
  write_file_atomically(run / "config.yaml", to_yaml(config(trial)));
}

std::string Sweep::mend(size_t trial, bool retry_failed) {
  std::string out;
  const fs::path run = folder(trial);
  if (RunLock::is_held(run)) return out;
  const bool is_kept = !trials_[trial].differences.is_null();
  const Node planned = is_kept ? config(trials_[trial]) : Node::mapping();
  // What is made anew is sound; a folder may have more than one thing wrong.
  for (int i = 0; i < 3; ++i) {
    const Damage damage = damage_of(run, planned, states_[trial].status, retry_failed);
    if (!damage) break;
    if (!is_kept) {
      throw Error(ExitCode::kData, fmt::format("the folder {}; an older version made this sweep, "
                                               "which kept no config to make it again",
                                               damage.words));
    }
    const fs::path kept = set_aside(damage.part);
    if (damage.part != run / "metrics.json") write_config(trials_[trial]);
    out += (out.empty() ? "" : "; it ") + damage.words + ": " + damage.cure;
    if (!kept.empty())
      out += fmt::format(" (what there was is in {})", escape(from_here(kept).string()));
  }
  if (out.empty()) return out;
  states_[trial] = {};
  refresh(trial);
  return out;
}

std::vector<std::string> Sweep::mend(bool retry_failed) {
  std::vector<std::string> out;
  for (size_t i = 0; i < trials_.size(); ++i) {
    const std::string shown = escape(from_here(folder(i)).string());
    try {
      const std::string wrong = mend(i, retry_failed);
      if (!wrong.empty()) out.push_back(fmt::format("{} {}", shown, wrong));
    } catch (const Error& error) {
      if (tells_of_full_disk(error.what())) {
        set_out_of_room(i, error.what());
      } else {
        set_failed(i, error);
      }
      out.push_back(fmt::format("{} cannot be gone on with: {}", shown, error.what()));
    }
  }
  return out;
}

// Moves what is left of a trial, so that nothing takes it for one. Empty: nothing was there.
fs::path Sweep::set_aside(const fs::path& part) const {
  if (!vitrine::exists(part)) return {};
  const fs::path name = part.lexically_relative(path_ / "trials");
  fs::path out;
  for (int i = 1; out.empty() || vitrine::exists(out); ++i) {
    out = path_ / ".damaged" / fmt::format("{}-{}", name.begin()->string(), i);
    if (std::next(name.begin()) != name.end()) out /= *std::next(name.begin());
  }
  Folder::make(out.parent_path());
  std::error_code error;
  fs::rename(part, out, error);
  if (!error) return out;
  throw Error(ExitCode::kFailed,
              fmt::format("cannot move {}: {}", escape(part.string()), error.message()),
              error.value());
}

void Sweep::set_failed(size_t trial, const Error& error) {
  constexpr int kPassing[] = {EIO, ESTALE, ETIMEDOUT, EMFILE, ENFILE, ENOMEM};
  const int code = error.system_code();
  states_[trial].status = TrialStatus::kFailed;
  states_[trial].is_open =
      std::find(std::begin(kPassing), std::end(kPassing), code) != std::end(kPassing);
  states_[trial].error = error.what();
}

void Sweep::set_out_of_room(size_t trial, const std::string& error) {
  states_[trial].status = TrialStatus::kInterrupted;
  states_[trial].lacks_room = true;
  states_[trial].error = error;
}

void Sweep::set_queued(size_t trial, const std::string& reason) {
  states_[trial].status = TrialStatus::kQueued;
  states_[trial].reason = reason;
  states_[trial].error.clear();
}

void Sweep::add_slurm_job(SlurmJob job) {
  if (id_.empty()) id_ = random_id();  // an older version made it
  slurm_jobs_.push_back(std::move(job));
  write_plan();
}

void Sweep::set_slurm_id(size_t job, const std::string& id, const std::string& cluster) {
  slurm_jobs_[job].id = id;
  slurm_jobs_[job].cluster = cluster;
}

std::optional<size_t> Sweep::find(const fs::path& run) const {
  const std::string name = run.filename();
  std::string digits = name.substr(0, name.find('-'));
  digits.erase(0, digits.find_first_not_of('0'));
  const auto number = parse_integer(digits);
  if (!number || *number < 1 || static_cast<size_t>(*number) > trials_.size()) return std::nullopt;
  const auto trial = static_cast<size_t>(*number) - 1;
  return trials_[trial].folder == name ? std::optional(trial) : std::nullopt;
}

size_t Sweep::planned_trials() const {
  const auto seeds = std::max<size_t>(options_.seeds.list.size(), 1);
  return trials_.size() + static_cast<size_t>(to_come_) * seeds;
}

bool Sweep::is_confirming() const {
  return std::any_of(trials_.begin(), trials_.end(),
                     [](const Trial& trial) { return trial.confirms; });
}

void Sweep::refresh(size_t trial) {
  try {
    TrialState& state = states_[trial];
    update_trial(state, folder(trial), chosen_by_.name);
    const bool at_end_of_epoch = state.step == state.epoch * trials_[trial].steps_per_epoch;
    if (options_.searcher()->pauses() && state.status == TrialStatus::kStopped && at_end_of_epoch)
      state.status = TrialStatus::kPaused;
  } catch (const Error& error) {  // one damaged file hides no other trial
    states_[trial] = {};
    set_failed(trial, error);
  }
}

void Sweep::refresh() {
  for (size_t i = 0; i < trials_.size(); ++i) refresh(i);
}

std::optional<double> Sweep::value(size_t trial) const {
  return states_[trial].best(chosen_by_.larger_is_better());
}

bool Sweep::has_best_link() const {
  std::error_code error;
  return best_ && fs::read_symlink(path_ / kBest, error) == run(*best_) && !error;
}

void Sweep::set_best(std::optional<size_t> trial) {
  const fs::path link = path_ / kBest;
  std::error_code ignored;
  if (trial) {
    const std::string error =
        trial != best_ || !has_best_link() ? point_link(link, run(*trial)) : "";
    if (!error.empty() && warn_) warn_(error);
  } else if (fs::is_symlink(fs::symlink_status(link, ignored))) {
    fs::remove(link, ignored);
  }
  const bool is_new = trial != best_;
  best_ = trial;
  if (is_new) note_states();
}

nlohmann::ordered_json Sweep::state_json(size_t trial) const {
  const TrialState& state = states_[trial];
  const auto number = [](const std::optional<double>& value) {
    return value && std::isfinite(*value) ? Json(*value) : Json();
  };
  Json out = {{"status", to_string(state.status)},
              {"epoch", state.epoch},
              {"step", state.step},
              {"best " + chosen_by_.name, number(value(trial))},
              {chosen_by_.of_test(), number(state.test)},
              {"seconds", state.seconds}};
  if (!state.error.empty()) out["error"] = state.error;
  return out;
}

// What a process left that was killed while it wrote one of the sweep's own files.
void Sweep::remove_temporaries() const {
  for (const char* file : {kMaking, "plan.json", "sweep.json", "sweep.yaml", ".sweep.yaml.next"})
    remove_temporaries_of(path_ / file);
  remove_temporary_links(path_ / kBest);
}

void Sweep::note_states() const {
  const auto apart = apart_trials(*this);
  Json trials = Json::array();
  for (size_t i = 0; i < trials_.size(); ++i) {
    Json row = {{"folder", "trials/" + trials_[i].folder}};
    row.update(trials_[i].json());
    row["folder"] = "trials/" + trials_[i].folder;
    row.update(state_json(i));
    if (const auto found = apart.find(i); found != apart.end()) row["not_counted"] = found->second;
    trials.push_back(std::move(row));
  }
  Json out = {{"format", kFormat},
              {"name", options_.name},
              {"method", options_.method.type()},
              {"metric", has_best_ ? Json(chosen_by_.name) : Json()},
              {"written", utc_now()},
              {"best", best_ ? Json(run(*best_).string()) : Json()},
              {"trials", trials}};
  for (const SlurmJob& job : slurm_jobs_) {
    if (!job.id.empty()) out["slurm_jobs"].push_back(job.id);
  }
  try {
    write_file_atomically(path_ / "sweep.json",
                          out.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  } catch (const Error& error) {  // only other programs miss it
    if (warn_ && !std::exchange(has_warned_, true)) warn_(error.what());
  }
}

}  // namespace vitrine
