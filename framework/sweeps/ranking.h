#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "framework/sweeps/sweep.h"

namespace vitrine {

// A cell and what became of its trials.
struct CellResult {
  std::string cell;
  std::vector<size_t> trials;    // all of them
  std::vector<size_t> finished;  // those whose values count
  std::vector<double> values;    // of the metric, theirs
  size_t diverged = 0, failed = 0;
  size_t paused = 0, under_way = 0;                   // by asha; not ended in any other way
  std::vector<std::pair<size_t, std::string>> apart;  // trials that do not count, and why
  std::string departure;  // what all of its trials have that was not planned; empty: nothing

  size_t seeds() const { return trials.size(); }
  size_t failures() const { return diverged + failed; }
  bool is_complete() const { return failures() + paused + under_way == 0; }
  // The mean of the values; NaN where there is none.
  double mean() const;
  // What became of trials that the mean is not of: "2 of 3 diverged"; empty where there is none, or
  // they are under way.
  std::string remark() const;
};

// The cells of a sweep, or those that were run again, in the order of the plan.
std::vector<CellResult> all_cells(const Sweep& sweep, bool confirming);

// The cells of a sweep, or those that were run again, of which anything has ended; the order that
// everything which speaks of a best cell follows. Cells all of whose trials finished come first,
// then those that are under way, then those with failures, the fewer the better; within each of
// these the best mean. What differs from its plan is behind what does not, and cells without any
// value are last: a mean over the seeds that survived is no mean over all.
std::vector<CellResult> ranking(const Sweep& sweep, bool confirming = false);

// The trials that do not count in their cells, and why: "went 4 epochs, the cell's others 2". Those
// of a cell are seeds of one experiment; one that was taken further, or changed, is another.
std::map<size_t, std::string> apart_trials(const Sweep& sweep);

// Whether every trial of the search, or of its confirmation, has ended: nothing of it is to be run
// but what failed. What asha paused has.
bool has_ended(const Sweep& sweep, bool confirming);

}  // namespace vitrine
