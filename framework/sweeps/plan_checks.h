#pragma once

#include "framework/sweeps/plan.h"

namespace vitrine {

// What a sweep compares its trials by is known of each of them. Throws ConfigError, with the place,
// where it is not.
void check_plan(const Plan& plan, const SweepSpec& spec);

}  // namespace vitrine
