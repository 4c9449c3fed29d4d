#include "framework/sweeps/best.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "framework/error.h"

namespace vitrine {

namespace fs = std::filesystem;

namespace {

// The cell's finished trials, by how near their values are to its mean; of equal ones the first
// comes first, so that chance among two seeds does not choose.
std::vector<size_t> nearest_first(const CellResult& cell) {
  const double mean = cell.mean(), rounding = 1e-9 * (1 + std::abs(mean));
  std::vector<size_t> order(cell.finished.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto distance = [&](size_t i) {
    return std::round(std::abs(cell.values[i] - mean) / rounding);
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return distance(a) < distance(b); });
  for (size_t& i : order) i = cell.finished[i];
  return order;
}

// Of each cell, the best first, the run nearest its mean; then the others that finished; where none
// has, all.
std::vector<fs::path> runs_of(const Sweep& sweep, const fs::path& folder) {
  std::vector<size_t> firsts, others;
  const auto results = sweep.has_best() ? ranking(sweep) : std::vector<CellResult>();
  for (const CellResult& cell : results) {
    const auto trials = nearest_first(cell);
    if (trials.empty()) continue;
    firsts.push_back(trials[0]);
    others.insert(others.end(), trials.begin() + 1, trials.end());
  }
  firsts.insert(firsts.end(), others.begin(), others.end());
  for (size_t i = 0; firsts.empty() && i < sweep.trials().size(); ++i) others.push_back(i);
  if (firsts.empty()) firsts = others;
  std::vector<fs::path> out;
  for (const size_t trial : firsts) out.push_back(folder / sweep.run(trial));
  return out;
}

// What is wrong with `place`, which is not there.
std::string missing(const Sweep& sweep, const fs::path& place, const fs::path& folder) {
  std::string out = escape(place.string());
  if (place.filename() != Sweep::kBest) return out + " is no run: there is no such directory";
  out += ": the sweep has no best";
  if (!sweep.has_best())
    return out + ": without a validation split (dataset.validation) there is nothing to choose by";
  if (!has_ended(sweep, false)) return out + " before all of its trials have ended";
  if (!best_run(sweep)) return out + ": no trial has finished";
  return out + " yet: runner resume " + escape(folder.string()) + " chooses it";
}

}  // namespace

std::optional<BestRun> best_run(const Sweep& sweep) {
  if (!sweep.has_best() || !has_ended(sweep, false)) return std::nullopt;
  for (const bool confirms : {true, false}) {
    if (confirms && !has_ended(sweep, true)) continue;
    const auto results = ranking(sweep, confirms);
    if (results.empty() || results[0].values.empty()) continue;
    return BestRun{nearest_first(results[0])[0], results[0], confirms};
  }
  return std::nullopt;
}

std::string words_of(const Sweep& sweep, const BestRun& best) {
  const CellResult& cell = best.cell;
  const ChosenBy& metric = sweep.chosen_by();
  const std::string remark = cell.remark();
  const std::string value = metric.text(*sweep.value(best.trial));
  std::string out = "of " + escape(cell.cell);
  if (!remark.empty()) out += " (" + escape(remark) + ")";
  if (best.is_confirmed) out += ", confirmed on fresh seeds";
  if (cell.values.size() == 1) return out + ": " + value;
  return fmt::format(
      "{}, the seed nearest the mean over {} ({}, mean {}): the best seed would be luck", out,
      cell.values.size(), value, metric.text(cell.mean()));
}

void choose_best(Sweep& sweep) {
  if (!has_ended(sweep, false)) return;
  const auto best = best_run(sweep);
  sweep.set_best(best ? std::optional(best->trial) : std::nullopt);
}

void refuse_sweep(const fs::path& place) {
  constexpr size_t kMostNamed = 3;
  std::error_code ignored;
  const bool is_there = fs::exists(place, ignored);
  fs::path path = place.lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  const fs::path above = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const fs::path folder = is_there ? path : above;
  if (!holds_sweep(folder)) return;
  const Sweep sweep = Sweep::open(folder);
  std::vector<std::string> names;
  if (fs::exists(folder / Sweep::kBest, ignored))
    names.push_back(escape((folder / Sweep::kBest).lexically_normal().string()));
  const std::vector<fs::path> runs = runs_of(sweep, folder);
  for (size_t i = 0; i < std::min(runs.size(), kMostNamed); ++i)
    names.push_back(escape(runs[i].lexically_normal().string()));
  const std::string begin = is_there ? fmt::format("{} holds a sweep of {} runs, not one",
                                                   escape(place.string()), sweep.trials().size())
                                     : missing(sweep, path, folder);
  throw Error(ExitCode::kUsage,
              fmt::format("{}; runs of the sweep: {}", begin, fmt::join(names, ", ")));
}

}  // namespace vitrine
