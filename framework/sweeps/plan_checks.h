#pragma once

#include "framework/sweeps/plan.h"

namespace vitrine {

// Decides what a sweep compares its trials by. Throws ConfigError, with the place, where that is
// not known of each of them.
void check_plan(Plan& plan, const SweepSpec& spec);

}  // namespace vitrine
