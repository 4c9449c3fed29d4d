#pragma once

#include <string>
#include <utility>
#include <vector>

#include "framework/sweeps/sweep.h"

namespace vitrine {

// Which trials of a cell are another experiment than it, because somebody took them further or
// changed them.
struct Parting {
  std::vector<std::pair<size_t, std::string>> apart;  // and why
  std::string departure;  // what all have that was not planned: "4 epochs, planned were 2"
};

// Those count that are as they were planned, where there are some, or some to come; else those of
// the config that most have, one that was never changed first.
Parting part_trials(const Sweep& sweep, const std::vector<size_t>& trials);

}  // namespace vitrine
