#pragma once

#include <memory>

#include "framework/sweeps/launcher.h"

namespace vitrine {

// Throws Error(kFailed) where Slurm's commands are not there.
void require_slurm();

// What of a plan Slurm is to know: the cores of a trial; `plan.jobs` is the limit of tasks at a
// time; `plan.notes` what the partition will not give them. Throws Error(kUsage) where what is
// asked of Slurm is not what the trials need.
void fit_to_slurm(SweepOptions& options, Plan& plan);

// Submits what the scheduler gives out and returns at once. `jobs`: tasks at a time, of all jobs of
// the sweep together. Throws Error(kFailed) with what sbatch says.
std::unique_ptr<Launcher> slurm_launcher(std::optional<int64_t> jobs);

// Marks unfinished trials that are in Slurm's queue, in tasks that run too, with what they wait
// for; of others, how their tasks ended. Throws Error(kFailed) where Slurm cannot be asked.
void mark_queued(Sweep& sweep);

// The variable that tells a trial that signals may come twice: a batch system sends them to all
// processes of a job, and the job's script passes them on.
inline constexpr const char* kBatchVariable = "VITRINE_BATCH";

}  // namespace vitrine
