#pragma once

#include "framework/sweeps/slurm_queue.h"

namespace vitrine {

// Tells of trials that are neither finished nor in the queue how their tasks ended: by a limit of
// time or memory, a lost node, scancel, or before they began. Where the trial's own output tells
// more, that stays.
void note_ends(Sweep& sweep, const std::map<size_t, QueuedTask>& queued);

// The newest task that a trial was given to; none where there is none.
struct TaskOfTrial {
  size_t job, task;
};
std::map<size_t, TaskOfTrial> newest_tasks(const Sweep& sweep);

// What Slurm, in the log of a task, says of its end: "its task ran out of time"; empty: nothing.
std::string end_in_log(const std::string& log);

}  // namespace vitrine
