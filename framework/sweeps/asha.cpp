#include "framework/sweeps/asha.h"

#include <algorithm>

namespace vitrine {

std::vector<int64_t> rungs_of(const SweepOptions& options, int64_t epochs) {
  std::vector<int64_t> out;
  for (int64_t rung = options.min_epochs; rung < epochs; rung *= options.eta) out.push_back(rung);
  return out;
}

AshaScheduler::AshaScheduler(const Sweep& sweep, bool retry_failed)
    : sweep_(sweep), retry_failed_(retry_failed) {
  for (size_t i = 0; i < sweep.trials().size(); ++i) {
    if (!sweep.trials()[i].confirms) trials_.push_back(i);
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

// By what both had reached after the epochs of that rung; equal trials keep their order.
bool AshaScheduler::worse(size_t a, size_t b, size_t rung) const {
  const bool larger = sweep_.options().larger_is_better();
  const auto value = [&](size_t trial) { return sweep_.state(trial).best(larger, rungs_[rung]); };
  const auto of_a = value(a), of_b = value(b);
  if (!of_a || !of_b) return !of_a && of_b;
  return larger ? *of_a < *of_b : *of_a > *of_b;
}

// The best trial that waits at `rung` among the best 1/eta of all that came so far.
std::optional<size_t> AshaScheduler::promotable(size_t rung, bool at_least_one) const {
  std::vector<size_t> reached;
  size_t diverged = 0;
  for (const size_t trial : trials_) {
    if (rungs_reached(trial) > rung) {
      reached.push_back(trial);
    } else if (sweep_.state(trial).status == TrialStatus::kDiverged &&
               rungs_reached(trial) == rung) {
      ++diverged;  // came that far, as the worst
    }
  }
  std::stable_sort(reached.begin(), reached.end(),
                   [&](size_t a, size_t b) { return worse(b, a, rung); });
  size_t best = (reached.size() + diverged) / static_cast<size_t>(sweep_.options().eta);
  if (at_least_one) best = std::max<size_t>(best, 1);
  for (size_t i = 0; i < std::min(best, reached.size()); ++i) {
    if (is_available(reached[i]) && rungs_reached(reached[i]) == rung + 1 &&
        !is_between_rungs(reached[i]))
      return reached[i];
  }
  return std::nullopt;
}

Task AshaScheduler::task(size_t trial) {
  running_.insert(trial);
  const size_t next = rungs_reached(trial);
  if (next >= rungs_.size()) return {trial, std::nullopt};
  return {trial, rungs_[next] * sweep_.trials()[trial].steps_per_epoch};
}

std::optional<Task> AshaScheduler::next() {
  for (const size_t trial : trials_) {
    if (is_available(trial) && is_between_rungs(trial)) return task(trial);
  }
  for (size_t rung = rungs_.size(); rung-- > 0;) {
    if (const auto trial = promotable(rung, false)) return task(*trial);
  }
  for (const size_t trial : trials_) {
    if (is_available(trial) && sweep_.state(trial).step == 0) return task(trial);
  }
  const auto is_finished = [&](size_t trial) {
    return sweep_.state(trial).status == TrialStatus::kFinished;
  };
  if (!running_.empty() || std::any_of(trials_.begin(), trials_.end(), is_finished))
    return std::nullopt;
  for (size_t rung = rungs_.size(); rung-- > 0;) {
    if (const auto trial = promotable(rung, true)) return task(*trial);
  }
  return std::nullopt;
}

void AshaScheduler::ended(const Task& task) {
  running_.erase(task.trial);
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
