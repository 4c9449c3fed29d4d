#include "framework/sweeps/ranking.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace vitrine {

double CellResult::mean() const {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

namespace {

// All cells, in the order of the plan; their trial is a failed one where there is one.
std::vector<CellResult> cells_of(const Sweep& sweep, bool confirming) {
  std::vector<CellResult> out;
  std::map<std::string, size_t> places;
  for (size_t i = 0; i < sweep.trials().size(); ++i) {
    const Trial& trial = sweep.trials()[i];
    if (trial.confirms != confirming) continue;
    const auto [place, is_new] = places.emplace(trial.cell, out.size());
    if (is_new) out.push_back({trial.cell, i, {}, 0});
    CellResult& cell = out[place->second];
    ++cell.seeds;
    if (sweep.state(i).is_failed()) cell.trial = i;
    if (sweep.state(i).status != TrialStatus::kFinished) continue;
    if (const auto value = sweep.value(i)) cell.values.push_back(*value);
  }
  return out;
}

}  // namespace

std::vector<CellResult> ranking(const Sweep& sweep, bool confirming) {
  std::vector<CellResult> out = cells_of(sweep, confirming);
  std::erase_if(out, [](const CellResult& cell) { return cell.values.empty(); });
  const bool larger = sweep.options().larger_is_better();
  std::stable_sort(out.begin(), out.end(), [&](const CellResult& a, const CellResult& b) {
    return larger ? a.mean() > b.mean() : a.mean() < b.mean();
  });
  return out;
}

std::vector<CellResult> failed_cells(const Sweep& sweep, bool confirming) {
  std::vector<CellResult> out = cells_of(sweep, confirming);
  std::erase_if(out, [&](const CellResult& cell) {
    return !cell.values.empty() || !sweep.state(cell.trial).is_failed();
  });
  return out;
}

}  // namespace vitrine
