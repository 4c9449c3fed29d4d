#pragma once

#include <memory>

#include "framework/sweeps/scheduler.h"

namespace vitrine {

// What proposes the cells of a sweep that are to come; null where there are none. `spec`: where
// this process made the sweep; else it has loaded the sweep's own copies of plug-ins. `jobs`:
// trials at a time, where that was given, else 0; `threads`: of a trial on this machine.
std::unique_ptr<CellSource> proposals_for(Sweep& sweep, const SweepSpec* spec, int64_t jobs,
                                          int64_t threads);

}  // namespace vitrine
