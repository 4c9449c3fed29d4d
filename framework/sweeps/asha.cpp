#include "framework/sweeps/asha.h"

#include <algorithm>
#include <tuple>

#include "framework/sweeps/ranking.h"

namespace vitrine {

std::vector<int64_t> rungs_of(const SweepOptions& options, int64_t epochs) {
  std::vector<int64_t> out;
  for (int64_t rung = options.min_epochs; rung < epochs; rung *= options.eta) {
    out.push_back(rung);
    if (rung > epochs / options.eta) break;  // the next one might be none that can be counted
  }
  return out;
}

AshaScheduler::AshaScheduler(const Sweep& sweep, bool retry_failed)
    : sweep_(sweep), retry_failed_(retry_failed) {
  for (size_t i = 0; i < sweep.trials().size(); ++i) {
    if (!sweep.trials()[i].confirms) trials_.push_back(i);
  }
  for (const CellResult& cell : all_cells(sweep, false)) {
    for (const auto& [trial, reason] : cell.apart) apart_.insert(trial);
    if (!cell.departure.empty()) apart_.insert(cell.trials.begin(), cell.trials.end());
  }
  rungs_ = rungs_of(sweep.options(), sweep.trials()[0].epochs);
}

bool AshaScheduler::is_available(size_t trial) const {
  return !running_.contains(trial) && !given_up_.contains(trial) &&
         is_due(sweep_.state(trial), retry_failed_);
}

// How many rungs the trial has been compared at. One that ended early has nothing more to show.
size_t AshaScheduler::rungs_reached(size_t trial) const {
  const TrialState& state = sweep_.state(trial);
  if (state.status == TrialStatus::kFinished) return rungs_.size();
  return static_cast<size_t>(
      std::count_if(rungs_.begin(), rungs_.end(), [&](int64_t r) { return state.epoch >= r; }));
}

// Whether it was on its way to a rung when it was stopped.
bool AshaScheduler::is_between_rungs(size_t trial) const {
  const TrialState& state = sweep_.state(trial);
  if (state.step == 0) return state.status != TrialStatus::kWaiting;
  const bool at_rung = std::find(rungs_.begin(), rungs_.end(), state.epoch) != rungs_.end();
  return !at_rung || state.step != state.epoch * sweep_.trials()[trial].steps_per_epoch;
}

// Not one that is to be run again still.
bool AshaScheduler::is_failed(size_t trial) const {
  const TrialState& state = sweep_.state(trial);
  return state.is_failed() && !state.is_open && !is_available(trial) && !apart_.contains(trial);
}

// Of the cells that have such trials, how many.
std::map<std::string, size_t> AshaScheduler::failures() const {
  std::map<std::string, size_t> out;
  for (const size_t trial : trials_) {
    if (is_failed(trial)) ++out[sweep_.trials()[trial].cell];
  }
  return out;
}

// By failures, then by what they had reached after the epochs of that rung; equal trials keep their
// order.
std::vector<size_t> AshaScheduler::best_first(const std::vector<size_t>& trials,
                                              size_t rung) const {
  const bool larger = sweep_.chosen_by().larger_is_better();
  const auto failed_of = failures();
  std::vector<std::pair<std::tuple<bool, size_t, bool, double>, size_t>> order;
  for (const size_t trial : trials) {
    const auto found = failed_of.find(sweep_.trials()[trial].cell);
    const auto value = sweep_.state(trial).best(larger, rungs_[rung]);
    const double loss = larger ? -value.value_or(0) : value.value_or(0);
    order.push_back(
        {{is_failed(trial), found == failed_of.end() ? 0 : found->second, !value.has_value(), loss},
         trial});
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<size_t> out;
  for (const auto& [place, trial] : order) out.push_back(trial);
  return out;
}

// The best trial that waits at `rung` among the best 1/eta of all that came so far.
std::optional<size_t> AshaScheduler::promotable(size_t rung, bool at_least_one) const {
  std::vector<size_t> reached;
  size_t failed = 0;
  for (const size_t trial : trials_) {
    if (apart_.contains(trial)) continue;
    if (rungs_reached(trial) > rung) {
      reached.push_back(trial);
    } else if (is_failed(trial) && rungs_reached(trial) == rung) {
      ++failed;  // came that far, as the worst
    }
  }
  reached = best_first(reached, rung);
  size_t best = (reached.size() + failed) / static_cast<size_t>(sweep_.options().eta);
  if (at_least_one) best = std::max<size_t>(best, 1);
  for (size_t i = 0; i < std::min(best, reached.size()); ++i) {
    if (is_available(reached[i]) && rungs_reached(reached[i]) == rung + 1 &&
        !is_between_rungs(reached[i]))
      return reached[i];
  }
  return std::nullopt;
}

TrialStart AshaScheduler::task(size_t trial) {
  running_.insert(trial);
  const size_t next = rungs_reached(trial);
  if (next >= rungs_.size()) return {trial, std::nullopt};
  return {trial, rungs_[next] * sweep_.trials()[trial].steps_per_epoch};
}

// Whether a trial has finished that can be the best: one of a cell without failures, as long as
// there are such cells.
bool AshaScheduler::has_winner() const {
  const auto failed_of = failures();
  bool any = false, is_open = false;
  for (const size_t trial : trials_) {
    const bool is_finished = sweep_.state(trial).status == TrialStatus::kFinished;
    const bool is_sound = !failed_of.contains(sweep_.trials()[trial].cell);
    if (apart_.contains(trial)) continue;
    if (is_finished && is_sound) return true;
    any |= is_finished;
    is_open |= is_sound && is_available(trial);
  }
  return any && !is_open;
}

size_t AshaScheduler::rungs_of_running() const {
  size_t out = 0;
  for (const size_t trial : running_) out += rungs_reached(trial);
  return out;
}

// It is asked again and again while trials run, and has an answer only once one has come further.
std::optional<TrialStart> AshaScheduler::next() {
  if (idle_ && *idle_ == rungs_of_running()) return std::nullopt;
  idle_.reset();
  const auto out = find_next();
  if (!out) idle_ = rungs_of_running();
  return out;
}

std::optional<TrialStart> AshaScheduler::find_next() {
  for (const size_t trial : trials_) {
    if (is_available(trial) && is_between_rungs(trial)) return task(trial);
  }
  for (size_t rung = rungs_.size(); rung-- > 0;) {
    if (const auto trial = promotable(rung, false)) return task(*trial);
  }
  for (const size_t trial : trials_) {
    if (is_available(trial) && sweep_.state(trial).step == 0) return task(trial);
  }
  if (!running_.empty() || has_winner()) return std::nullopt;
  for (size_t rung = rungs_.size(); rung-- > 0;) {
    if (const auto trial = promotable(rung, true)) return task(*trial);
  }
  return std::nullopt;
}

void AshaScheduler::ended(const TrialStart& task) {
  running_.erase(task.trial);
  idle_.reset();
  // One that did not come where it was sent is not sent again before a resume.
  const TrialState& state = sweep_.state(task.trial);
  const bool arrived =
      state.status == TrialStatus::kFinished || (task.stop_after && state.step == *task.stop_after);
  if (!arrived) given_up_.insert(task.trial);
}

bool AshaScheduler::is_done(size_t trial) const {
  const TrialState& state = sweep_.state(trial);
  if (state.status == TrialStatus::kFinished) return true;
  return state.status == TrialStatus::kPaused && !is_between_rungs(trial);
}

}  // namespace vitrine
