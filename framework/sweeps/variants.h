#pragma once

#include <string>
#include <utility>
#include <vector>

#include "framework/sweeps/sweep.h"

namespace vitrine {

// Which trials of a cell are another experiment than it, because somebody took them further or
// changed them on the way.
struct Parting {
  std::vector<std::pair<size_t, std::string>> apart;  // and why
  std::string departure;  // what became of all of them: "went 4 epochs, planned were 2"
};

// Those count that are as they were planned, where there are some; else those of the change that
// most have in common.
Parting part_trials(const Sweep& sweep, const std::vector<size_t>& trials);

}  // namespace vitrine
