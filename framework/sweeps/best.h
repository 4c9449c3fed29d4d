#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "framework/sweeps/ranking.h"

namespace vitrine {

// The run that stands for a sweep: of its best cell the one that is nearest the mean over the
// cell's seeds. The best seed would be luck.
struct BestRun {
  size_t trial = 0;
  CellResult cell;
  bool is_confirmed = false;  // the runs on fresh seeds chose it
};

// The best run; none where there is nothing to choose by, no trial has finished, or one is to be
// run still. Where winners were run again, and all of these runs have ended, they decide.
std::optional<BestRun> best_run(const Sweep& sweep);

// Why it is this run: "of lr=1, the seed nearest the mean over 3 (22.00 %, mean 23.00 %): ...".
std::string words_of(const Sweep& sweep, const BestRun& best);

// Notes it, and points the sweep's link to it. Leaves all as it is while a trial is to be run.
void choose_best(Sweep& sweep);

// Throws Error(kUsage), which names a few of the sweep's runs, the best first, where `place` is the
// folder of a sweep, or is not there and would lie directly in one.
void refuse_sweep(const std::filesystem::path& place);

}  // namespace vitrine
