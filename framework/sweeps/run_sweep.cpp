#include "framework/sweeps/run_sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "framework/sweeps/best.h"
#include "framework/sweeps/disk_space.h"

namespace vitrine {
namespace {

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

// Best first, the cells that are run again. One that has failures, or that is not what was planned,
// only where there is no other.
std::vector<CellResult> winners_of(const Sweep& sweep, size_t top, SweepObserver& observer) {
  std::vector<CellResult> out = ranking(sweep);
  std::erase_if(out, [](const CellResult& cell) { return cell.values.empty(); });
  const auto is_sound = [](const CellResult& cell) {
    return cell.failures() == 0 && cell.departure.empty();
  };
  const bool any_sound = std::any_of(out.begin(), out.end(), is_sound);
  const size_t before = out.size();
  if (any_sound) std::erase_if(out, std::not_fn(is_sound));
  if (out.empty()) {
    observer.warning("--confirm: no trial has finished, so there is no cell to run again");
  } else if (out.size() < top) {
    observer.warning(fmt::format("--top {}: there were no more than {} {} with a finished trial{}",
                                 top, out.size(), out.size() == 1 ? "cell" : "cells",
                                 out.size() < before ? " and without failures" : ""));
  }
  out.resize(std::min(out.size(), top));
  for (const CellResult& cell : out) {
    if (any_sound) break;
    observer.warning(fmt::format("--confirm runs {} again ({}): there is no better cell",
                                 escape(cell.cell), escape(cell.remark())));
  }
  return out;
}

// Seeds that chose nothing: those that have confirmed others before, else fresh ones.
std::vector<int64_t> confirming_seeds(const Sweep& sweep, int64_t count) {
  std::set<int64_t> choosing, confirming;
  for (const Trial& trial : sweep.trials())
    (trial.confirms ? confirming : choosing).insert(trial.seed);
  const bool are_fresh = std::none_of(confirming.begin(), confirming.end(),
                                      [&](int64_t seed) { return choosing.contains(seed); });
  if (are_fresh && static_cast<int64_t>(confirming.size()) == count)
    return {confirming.begin(), confirming.end()};
  int64_t fresh = 0;
  for (const Trial& trial : sweep.trials()) fresh = std::max(fresh, trial.seed + 1);
  std::vector<int64_t> out;
  for (int64_t i = 0; i < count; ++i) out.push_back(fresh + i);
  return out;
}

// The winners again, on other seeds: the best of many is partly luck. Those that were before the
// sweep grew are left out.
void add_confirmation(Sweep& sweep, const Confirmation& confirm, SweepObserver& observer) {
  std::set<std::string> confirmed;
  for (const Trial& trial : sweep.trials()) {
    if (trial.confirms) confirmed.insert(trial.cell);
  }
  const auto seeds = confirming_seeds(sweep, confirm.seeds);
  std::vector<Sweep::Confirming> runs;
  for (const CellResult& cell : winners_of(sweep, static_cast<size_t>(confirm.top), observer)) {
    if (confirmed.contains(cell.cell)) continue;
    for (const int64_t seed : seeds) runs.push_back({cell.finished[0], seed});
  }
  sweep.add_confirmations(runs);
}

}  // namespace

SweepOutcome run_sweep(Sweep& sweep, Launcher& launcher, SweepObserver& observer, bool retry_failed,
                       const std::optional<Confirmation>& confirm, CellSource* more) {
  SweepOutcome out;
  const auto searcher = sweep.options().searcher();
  const auto search = searcher->scheduler(sweep, retry_failed, more);
  out.code = launcher.launch(sweep, *search, observer);
  out.done = all_done(sweep, *search, false) && sweep.to_come() == 0;
  if (out.code == ExitCode::kDone && !is_under_way(sweep, false)) {
    choose_best(sweep);
    const auto& wanted = confirm ? confirm : sweep.options().confirm;
    try {
      // Not before every trial could be started and read: it might be a winner.
      const bool is_due = wanted && has_ended(sweep, false) && sweep.is_unconfirmed();
      if (is_due) add_confirmation(sweep, *wanted, observer);
    } catch (const Error& error) {
      if (!tells_of_full_disk(error.what())) throw;
      observer.warning(fmt::format("paused: there is no room on the disk ({})", error.what()));
      out.code = ExitCode::kStopped;
    }
    ListScheduler confirmation(sweep, true, retry_failed);
    if (out.code == ExitCode::kDone) out.code = launcher.launch(sweep, confirmation, observer);
    out.done &= all_done(sweep, confirmation, true) && out.code == ExitCode::kDone;
    choose_best(sweep);
  }
  out.under_way = is_under_way(sweep, false) || is_under_way(sweep, true);
  if (out.code == ExitCode::kDone && !out.done && !out.under_way) out.code = ExitCode::kFailed;
  return out;
}

bool has_more(const Sweep& sweep) {
  const auto searcher = sweep.options().searcher();
  return sweep.to_come() > 0 || searcher->scheduler(sweep, false, nullptr)->next() ||
         ListScheduler(sweep, true, false).next();
}

}  // namespace vitrine
