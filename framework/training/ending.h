#pragma once

#include <string>
#include <vector>

#include "framework/training/state.h"

// What ends a run before or at its last step, and what would take it further.
namespace vitrine {

// Whether another value of this key has early stopping count anew: what it counted before was
// something else.
bool restarts_stopping(const std::string& key);

// Whether a change of early stopping has it end the run later or not at all: such a run goes on as
// one would have that had the new value from the start.
bool stops_later(const Change& change);

// Says of a run that has finished, with `changes` in the keys of its config, that nothing is left
// to train, and what would take it further. Empty where something is left, and where the changes do
// not ask for more.
std::string nothing_left(const TrainRequest& request, const std::vector<std::string>& changes);

}  // namespace vitrine
