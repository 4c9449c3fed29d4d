#include "framework/sweeps/slurm_limit.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "framework/sweeps/slurm_command.h"

namespace vitrine {
namespace {

struct LiveJob {
  int64_t tasks = 0;
  bool waits_for_others = true;  // none of its tasks may run yet
};

std::map<size_t, LiveJob> live_jobs(const std::vector<QueuedTask>& queued) {
  std::map<size_t, LiveJob> out;
  for (const QueuedTask& task : queued) {
    LiveJob& job = out[task.job];
    ++job.tasks;
    job.waits_for_others &= task.reason == "Dependency";
  }
  return out;
}

// "afterany:12:13"
std::string after(const Sweep& sweep, const std::vector<size_t>& jobs) {
  std::string out = "afterany";
  for (const size_t job : jobs) out += ":" + sweep.slurm_jobs()[job].id;
  return out;
}

}  // namespace

ArrayLimit limit_beside(const Sweep& sweep, const std::vector<QueuedTask>& queued, int64_t most) {
  int64_t used = 0;
  std::vector<size_t> jobs;
  for (const auto& [job, live] : live_jobs(queued)) {
    if (sweep.slurm_jobs()[job].id.empty()) continue;
    used += live.tasks;
    jobs.push_back(job);
  }
  if (used < most) return {most - used, ""};
  return {most, after(sweep, jobs)};
}

void limit_tasks(const Sweep& sweep, const std::vector<QueuedTask>& queued, int64_t most) {
  int64_t left = most;
  std::vector<size_t> jobs;
  for (const auto& [job, live] : live_jobs(queued)) {
    std::vector<std::string> words = {"scontrol", "update", "JobId=" + sweep.slurm_jobs()[job].id};
    if (left > 0 && !live.waits_for_others) {
      const int64_t own = std::min(left, live.tasks);
      words.push_back(fmt::format("ArrayTaskThrottle={}", left));
      left -= own;
    } else {
      words.push_back(fmt::format("ArrayTaskThrottle={}", most));
      if (!live.waits_for_others) words.push_back("Dependency=" + after(sweep, jobs));
    }
    jobs.push_back(job);
    // That it ended meanwhile is as good; what cannot be changed is limited by what it was.
    slurm_command(std::move(words));
  }
}

}  // namespace vitrine
