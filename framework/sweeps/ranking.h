#pragma once

#include "framework/sweeps/sweep.h"

namespace vitrine {

// A cell and the values of the metric that its finished trials reached.
struct CellResult {
  std::string cell;
  size_t trial = 0;  // one of its trials
  std::vector<double> values;
  size_t seeds = 0;  // finished or not

  double mean() const;
};

// The cells of a sweep with at least one finished trial, best first; or those that were run again.
std::vector<CellResult> ranking(const Sweep& sweep, bool confirming = false);

// The cells without a finished trial that have one that failed; `trial` is that one.
std::vector<CellResult> failed_cells(const Sweep& sweep, bool confirming);

}  // namespace vitrine
