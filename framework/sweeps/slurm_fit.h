#pragma once

#include "framework/sweeps/plan.h"

namespace vitrine {

// What of a plan Slurm is to know: the cores of a trial; `plan.jobs` is the limit of tasks at a
// time; `plan.notes` what the partition will not give them. Throws Error(kUsage) where what is
// asked of Slurm is not what the trials need.
void fit_to_slurm(SweepOptions& options, Plan& plan);

}  // namespace vitrine
