#pragma once

#include <string>
#include <vector>

#include "framework/sweeps/sweep.h"

namespace vitrine {

// What a sweep is to be with these assignments: more seeds (seed=0..9), more trials
// (sweep.trials=40), more values of a key. The configs are those that it began with. Throws
// Error(kUsage), with the place: what cannot change any more, and what would be less than it has.
SweepSpec grown_spec(const Sweep& sweep, const std::vector<std::string>& assignments);

}  // namespace vitrine
