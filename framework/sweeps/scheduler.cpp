#include "framework/sweeps/scheduler.h"

#include <algorithm>

namespace vitrine {

bool is_due(const TrialState& state, bool retry_failed) {
  return state.status != TrialStatus::kFinished && (retry_failed || !state.is_failed());
}

ListScheduler::ListScheduler(const Sweep& sweep, bool confirms, bool retry_failed, CellSource* more)
    : sweep_(sweep), more_(more) {
  for (size_t i = 0; i < sweep.trials().size(); ++i) {
    if (sweep.trials()[i].confirms == confirms && is_due(sweep.state(i), retry_failed))
      waiting_.push_back(i);
  }
  std::stable_sort(waiting_.begin(), waiting_.end(), [&](size_t a, size_t b) {
    return sweep.trials()[a].cost > sweep.trials()[b].cost;
  });
}

std::optional<TrialStart> ListScheduler::next() {
  if (waiting_.empty() && more_) {
    for (const size_t trial : more_->next()) waiting_.push_back(trial);
  }
  if (waiting_.empty()) return std::nullopt;
  const size_t trial = waiting_.front();
  waiting_.pop_front();
  return TrialStart{trial, std::nullopt};
}

bool ListScheduler::is_done(size_t trial) const {
  return sweep_.state(trial).status == TrialStatus::kFinished;
}

}  // namespace vitrine
