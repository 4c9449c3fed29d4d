#pragma once

#include <string>

#include "framework/sweeps/plan.h"

namespace vitrine {

// Chooses the metric, and refuses what would be missed only when trials have ended. Throws
// ConfigError.
void check_plan(Plan& plan, const SweepSpec& spec);

// Throws ConfigError.
[[noreturn]] void refuse_plan(const SweepSpec& spec, const Location& place,
                              const std::string& message, const std::string& hint = "");
// Where a key of the trials' configs is given; else where the method is.
Location place_of_key(const SweepSpec& spec, const std::string& path);

}  // namespace vitrine
