#include "framework/sweeps/ranking.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <tuple>

#include "framework/config/scalar.h"
#include "framework/sweeps/scheduler.h"
#include "framework/sweeps/variants.h"

namespace vitrine {

double CellResult::mean() const {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::string CellResult::remark() const {
  std::vector<std::string> parts;
  const auto add = [&](size_t count, const char* what) {
    if (count == 0) return;
    parts.push_back(seeds() == 1 ? what : fmt::format("{} of {} {}", count, seeds(), what));
  };
  add(diverged, "diverged");
  add(failed, "failed");
  add(paused, "paused");
  add(apart.size(), "not counted");
  if (!departure.empty()) parts.push_back(departure);
  return fmt::format("{}", fmt::join(parts, ", "));
}

namespace {

void add_trial(const Sweep& sweep, size_t trial, CellResult& cell) {
  const TrialStatus status = sweep.state(trial).status;
  const auto is_it = [&](const auto& apart) { return apart.first == trial; };
  if (std::any_of(cell.apart.begin(), cell.apart.end(), is_it)) return;
  if (status == TrialStatus::kDiverged) {
    ++cell.diverged;
  } else if (status == TrialStatus::kFailed) {
    ++cell.failed;
  } else if (status == TrialStatus::kPaused) {
    ++cell.paused;
  } else if (status != TrialStatus::kFinished) {
    ++cell.under_way;
  } else if (const auto value = sweep.value(trial)) {
    cell.finished.push_back(trial);
    cell.values.push_back(*value);
  } else if (sweep.has_best()) {
    cell.apart.emplace_back(trial, "has no " + sweep.chosen_by().name);
  }
}

// Smaller is better.
auto place_of(const CellResult& cell, bool larger_is_better) {
  const double mean = cell.values.empty() ? 0 : cell.mean();
  return std::tuple(cell.values.empty(), cell.failures(), !cell.departure.empty(),
                    !cell.is_complete(), larger_is_better ? -mean : mean);
}

}  // namespace

std::vector<CellResult> all_cells(const Sweep& sweep, bool confirming) {
  std::vector<CellResult> out;
  std::map<std::string, size_t> places;
  for (size_t i = 0; i < sweep.trials().size(); ++i) {
    const Trial& trial = sweep.trials()[i];
    if (trial.confirms != confirming) continue;
    const auto [place, is_new] = places.emplace(trial.cell, out.size());
    if (is_new) out.emplace_back().cell = trial.cell;
    out[place->second].trials.push_back(i);
  }
  for (CellResult& cell : out) {
    auto [apart, departure] = part_trials(sweep, cell.trials);
    cell.apart = std::move(apart);
    cell.departure = std::move(departure);
    for (const size_t trial : cell.trials) add_trial(sweep, trial, cell);
  }
  return out;
}

std::vector<CellResult> ranking(const Sweep& sweep, bool confirming) {
  std::vector<CellResult> out = all_cells(sweep, confirming);
  std::erase_if(out, [](const CellResult& cell) {
    return cell.values.empty() && cell.failures() == 0 && cell.apart.empty();
  });
  const bool larger = sweep.chosen_by().larger_is_better();
  std::stable_sort(out.begin(), out.end(), [&](const CellResult& a, const CellResult& b) {
    return place_of(a, larger) < place_of(b, larger);
  });
  return out;
}

std::map<size_t, std::string> apart_trials(const Sweep& sweep) {
  std::map<size_t, std::string> out;
  for (const bool confirming : {false, true}) {
    for (const CellResult& cell : all_cells(sweep, confirming))
      out.insert(cell.apart.begin(), cell.apart.end());
  }
  return out;
}

bool has_ended(const Sweep& sweep, bool confirming) {
  if (!confirming && sweep.to_come() > 0) return false;
  for (size_t i = 0; i < sweep.trials().size(); ++i) {
    if (sweep.trials()[i].confirms != confirming) continue;
    const TrialState& state = sweep.state(i);
    if (state.is_open || (is_due(state, false) && state.status != TrialStatus::kPaused))
      return false;
  }
  return true;
}

}  // namespace vitrine
