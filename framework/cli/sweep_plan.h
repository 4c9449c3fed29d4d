#pragma once

#include "framework/sweeps/plan.h"

namespace vitrine {

std::string plural(size_t count, const std::string& word);  // "1 cell", "2 cells"

// "vit_size: 36 trials, 12 cells x 3 seeds, 2 at a time"
std::string announcement(const SweepSpec& spec, const Plan& plan);

// Prints what each cell of a sweep will cost, as a table or as JSON; times some steps of each.
void show_plan(const SweepSpec& spec, const Plan& plan, bool json);

}  // namespace vitrine
