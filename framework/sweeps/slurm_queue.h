#pragma once

#include <map>
#include <set>

#include "framework/sweeps/sweep.h"

namespace vitrine {

// A task of a sweep's that is in Slurm's queue: it waits, runs or ends.
struct QueuedTask {
  size_t job = 0, task = 0;   // of Sweep::slurm_jobs
  std::string state, reason;  // in Slurm's words: "PENDING", "Resources"
};

// The files of a sweep's `number`-th job, counted from 0, below its folder slurm/.
std::string script_name(size_t number);  // "0001.sh"
// What the job's tasks write its number into, as soon as one runs.
std::string number_file(size_t number);

// What tells one of the sweep's jobs from all others: the comment that it is submitted with.
std::string mark_of(const Sweep& sweep, size_t job);

// Finds the numbers of jobs that were noted and submitted without an answer, by their marks. What
// is not found was not taken by Slurm, or left its queue before it ran. Whether one was found,
// which the plan is to keep. Throws Error(kFailed) where Slurm cannot be asked.
bool find_jobs(Sweep& sweep);

// The sweep's tasks that are in the queue, asked for by the numbers of its jobs. Throws
// Error(kFailed) where Slurm cannot be asked: then nothing is known of any.
std::vector<QueuedTask> queued_tasks(const Sweep& sweep);

// The task that runs a trial, or is to, by trial: not one that has run it and goes on with others.
std::map<size_t, QueuedTask> queued_trials(const Sweep& sweep,
                                           const std::vector<QueuedTask>& tasks);

// The file that a task writes to, and what it wrote last; empty where there is none.
std::filesystem::path task_log(const Sweep& sweep, size_t job, size_t task);
std::string end_of_log(const Sweep& sweep, size_t job, size_t task);

}  // namespace vitrine
