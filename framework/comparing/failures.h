#pragma once

#include <string>

#include "framework/comparing/comparison.h"

// Runs that diverged or failed are results: a mean over those that survived does not stand for a
// group.
namespace vitrine {

size_t failures_of(const Group& group);

// "2 of 3 diverged", of a group of one run "diverged"; empty where there is none.
std::string shown_failures(const Group& group);

// The group with the best mean of a metric over its counted runs, among those of the same data and
// code as most, where there are such; of these among those with the fewest failures. None where no
// group has such a mean.
const Group* best_group(const Comparison& comparison, const std::string& metric);

}  // namespace vitrine
