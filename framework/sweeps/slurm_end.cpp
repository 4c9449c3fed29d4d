#include "framework/sweeps/slurm_end.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "framework/files/paths.h"
#include "framework/sweeps/slurm_command.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMemory = "its task ran out of memory";

struct Words {
  const char* pattern;
  const char* meaning;
};
// The first that is found in a line of Slurm's counts.
constexpr Words kWords[] = {
    {"oom-kill", kMemory},
    {"oom_kill", kMemory},
    {"memory limit", kMemory},
    {"DUE TO TIME LIMIT", "its task ran out of time before the trial had saved"},
    {"DUE TO PREEMPTION", "its task was preempted by another job, and cancelled"},
    {"DUE TO NODE FAILURE", "its task's node was lost"},
    {"DUE TO JOB REQUEUE", ""},
    {"CANCELLED AT", "its task was cancelled"},
};

// Of what squeue, for some minutes, still tells of a task that left no log.
std::string end_in_queue(const std::string& state, const std::string& reason) {
  if (reason.find("LaunchFail") != reason.npos)
    return "its task could not be started: its node may not see this folder";
  if (state == "CANCELLED") return "its task was cancelled";
  if (state == "NODE_FAIL") return "its task's node was lost";
  if (state == "TIMEOUT") return "its task ran out of time";
  if (state == "OUT_OF_MEMORY") return kMemory;
  return state.empty() ? "" : fmt::format("its task ended as {} ({})", state, reason);
}

std::string end_of(const Sweep& sweep, const TaskOfTrial& at) {
  const fs::path log = task_log(sweep, at.job, at.task);
  std::error_code ignored;
  if (fs::exists(log, ignored)) return end_in_log(end_of_log(sweep, at.job, at.task));
  const std::string id = fmt::format("{}_{}", sweep.slurm_jobs()[at.job].id, at.task);
  const CommandResult result = slurm_command(
      {"squeue", "--all", "--noheader", "--states=all", "--format=%T|%r", "--jobs=" + id});
  const std::string line =
      result.code == 0 ? result.output.substr(0, result.output.find('\n')) : std::string();
  const size_t bar = std::min(line.find('|'), line.size());
  const std::string told =
      end_in_queue(line.substr(0, bar), line.substr(std::min(bar + 1, line.size())));
  if (!told.empty()) return escape(told);
  return "its task ended and left no log: it was cancelled while it waited, or its node does not "
         "see this folder";
}

}  // namespace

std::map<size_t, TaskOfTrial> newest_tasks(const Sweep& sweep) {
  std::map<size_t, TaskOfTrial> out;
  for (size_t job = 0; job < sweep.slurm_jobs().size(); ++job) {
    if (sweep.slurm_jobs()[job].id.empty()) continue;
    const auto& tasks = sweep.slurm_jobs()[job].tasks;
    for (size_t task = 0; task < tasks.size(); ++task) {
      for (const size_t trial : tasks[task]) out.insert_or_assign(trial, TaskOfTrial{job, task});
    }
  }
  return out;
}

std::string end_in_log(const std::string& log) {
  std::string out;
  size_t best = std::size(kWords);
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("task ")) {  // it starts again: what was before is past
      out.clear();
      best = std::size(kWords);
    }
    if (line.starts_with("error: ")) out = line.substr(7);
    if (!line.starts_with("slurmstepd") && !line.starts_with("srun")) continue;
    for (size_t i = 0; i < best; ++i) {
      if (line.find(kWords[i].pattern) == line.npos) continue;
      best = i;
      out = kWords[i].meaning;
    }
  }
  return out;
}

void note_ends(Sweep& sweep, const std::map<size_t, QueuedTask>& queued) {
  for (const auto& [trial, at] : newest_tasks(sweep)) {
    const TrialState& state = sweep.state(trial);
    const bool has_words = state.is_failed() || state.lacks_room;
    const bool is_open = state.status != TrialStatus::kRunning &&
                         state.status != TrialStatus::kFinished &&
                         state.status != TrialStatus::kPaused;
    if (!is_open || has_words || queued.contains(trial)) continue;
    const std::string end = end_of(sweep, at);
    if (end == kMemory) {
      sweep.set_end(trial, fmt::format("{}; one with more: runner resume {} sweep.slurm.mem=8G",
                                       end, escape(from_here(sweep.path()).string())));
    } else if (!end.empty()) {
      sweep.set_end(trial, end);
    }
  }
}

}  // namespace vitrine
