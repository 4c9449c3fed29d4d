#include "framework/sweeps/searcher.h"

#include <algorithm>

#include "framework/sweeps/ranking.h"
#include "framework/sweeps/scheduler.h"

namespace vitrine {

std::optional<Observation> Searcher::observe(const Sweep& sweep, const CellResult& cell) const {
  if (!cell.departure.empty()) return std::nullopt;
  Observation out;
  const auto is_open = [&](size_t trial) { return sweep.state(trial).is_open; };
  if (cell.under_way > 0 || cell.paused > 0 ||
      std::any_of(cell.trials.begin(), cell.trials.end(), is_open))
    return out;
  if (cell.failures() > 0) {
    out.state = Observation::State::kFailed;
  } else if (cell.values.empty()) {
    return std::nullopt;
  } else {
    out.state = Observation::State::kKnown;
    out.loss = sweep.chosen_by().larger_is_better() ? -cell.mean() : cell.mean();
  }
  return out;
}

std::unique_ptr<Scheduler> Searcher::scheduler(const Sweep& sweep, bool retry_failed,
                                               CellSource* more) const {
  return std::make_unique<ListScheduler>(sweep, false, retry_failed, more);
}

}  // namespace vitrine
