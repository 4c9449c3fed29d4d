#pragma once

#include <map>
#include <set>

#include "framework/sweeps/scheduler.h"

namespace vitrine {

// Epochs after which trials are compared: min_epochs, times eta each, below the full length.
std::vector<int64_t> rungs_of(const SweepOptions& options, int64_t epochs);

// Asynchronous successive halving (Li et al., "A System for Massively Parallel Hyperparameter
// Tuning", 2020): whoever is free goes on with a trial that is among the best 1/eta of its rung, or
// else starts a new one. Nobody waits for a rung to fill. The best trial is always trained to its
// end. A trial that diverged or failed counts as the worst of its rung, and one of a cell that has
// such a trial as worse than those of cells that have none.
class AshaScheduler : public Scheduler {
 public:
  AshaScheduler(const Sweep& sweep, bool retry_failed);
  std::optional<TrialStart> next() override;
  void ended(const TrialStart& task) override;
  bool is_done(size_t trial) const override;

 private:
  bool is_available(size_t trial) const;
  size_t rungs_reached(size_t trial) const;
  size_t rungs_of_running() const;
  std::optional<TrialStart> find_next();
  bool is_between_rungs(size_t trial) const;
  bool is_failed(size_t trial) const;
  std::map<std::string, size_t> failures() const;
  std::vector<size_t> best_first(const std::vector<size_t>& trials, size_t rung) const;
  bool has_winner() const;
  std::optional<size_t> promotable(size_t rung, bool at_least_one) const;
  TrialStart task(size_t trial);

  const Sweep& sweep_;
  bool retry_failed_;
  std::vector<int64_t> rungs_;
  std::vector<size_t> trials_;  // those that the search is about
  std::set<size_t> apart_;      // of them those that somebody changed; they are compared with none
  std::set<size_t> running_, given_up_;
  std::optional<size_t> idle_;  // rungs_of_running() when there was nothing to do
};

}  // namespace vitrine
