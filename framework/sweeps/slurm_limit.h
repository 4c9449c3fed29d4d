#pragma once

#include "framework/sweeps/slurm_queue.h"

namespace vitrine {

// How a job keeps a sweep's limit of tasks at a time, beside jobs of the sweep that are there.
struct ArrayLimit {
  std::optional<int64_t> tasks;  // of its own that may run at a time
  std::string dependency;        // what it waits for, as sbatch takes it; empty: nothing
};

// The limit of one to be submitted: what the others leave, or, where they leave nothing, the whole
// limit once they have ended.
ArrayLimit limit_beside(const Sweep& sweep, const std::vector<QueuedTask>& queued, int64_t most);

// Gives the jobs that are there this limit, where they were submitted with another.
void limit_tasks(const Sweep& sweep, const std::vector<QueuedTask>& queued, int64_t most);

}  // namespace vitrine
