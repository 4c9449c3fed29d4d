#include "framework/sweeps/run_sweep.h"

#include <algorithm>

#include "framework/sweeps/asha.h"
#include "framework/sweeps/ranking.h"

namespace vitrine {
namespace {

std::unique_ptr<Scheduler> search_of(const Sweep& sweep, bool retry_failed) {
  if (sweep.options().method == "asha") return std::make_unique<AshaScheduler>(sweep, retry_failed);
  return std::make_unique<ListScheduler>(sweep, false, retry_failed);
}

bool all_done(const Sweep& sweep, const Scheduler& scheduler, bool confirms) {
  for (size_t i = 0; i < sweep.trials().size(); ++i) {
    if (sweep.trials()[i].confirms == confirms && !scheduler.is_done(i)) return false;
  }
  return true;
}

bool is_under_way(const Sweep& sweep, bool confirms) {
  for (size_t i = 0; i < sweep.trials().size(); ++i) {
    const TrialStatus status = sweep.state(i).status;
    const bool open = status == TrialStatus::kQueued || status == TrialStatus::kRunning;
    if (open && sweep.trials()[i].confirms == confirms) return true;
  }
  return false;
}

// The winners again, on seeds that chose nothing: the best of many is partly luck.
void add_confirmation(Sweep& sweep, const Confirmation& confirm) {
  int64_t fresh = 0;
  for (const Trial& trial : sweep.trials()) fresh = std::max(fresh, trial.seed + 1);
  const auto results = ranking(sweep);
  const size_t top = std::min(results.size(), static_cast<size_t>(confirm.top));
  for (size_t i = 0; i < top; ++i) {
    for (int64_t seed = fresh; seed < fresh + confirm.seeds; ++seed)
      sweep.add_confirmation(results[i].trial, seed);
  }
  sweep.write_plan();
}

}  // namespace

SweepOutcome run_sweep(Sweep& sweep, Launcher& launcher, SweepObserver& observer, bool retry_failed,
                       const std::optional<Confirmation>& confirm) {
  SweepOutcome out;
  const auto search = search_of(sweep, retry_failed);
  out.code = launcher.launch(sweep, *search, observer);
  out.done = all_done(sweep, *search, false);
  if (out.code == ExitCode::kDone && !is_under_way(sweep, false)) {
    const auto& wanted = confirm ? confirm : sweep.options().confirm;
    if (wanted && !sweep.is_confirming()) add_confirmation(sweep, *wanted);
    ListScheduler confirmation(sweep, true, retry_failed);
    out.code = launcher.launch(sweep, confirmation, observer);
    out.done &= all_done(sweep, confirmation, true);
  }
  out.under_way = is_under_way(sweep, false) || is_under_way(sweep, true);
  if (out.code == ExitCode::kDone && !out.done && !out.under_way) out.code = ExitCode::kFailed;
  return out;
}

}  // namespace vitrine
