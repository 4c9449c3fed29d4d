#include "framework/sweeps/slurm_queue.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "framework/config/scalar.h"
#include "framework/files/file.h"
#include "framework/sweeps/slurm_command.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

// A line of squeue's.
struct Line {
  std::string job, index, state, reason, comment, command;
};

// The reason may hold blanks; comment and command are last, since they may hold anything.
constexpr const char* kFormat = "--format=%F|%K|%T|%r|%k|%o";

std::vector<Line> lines_of(const std::string& text) {
  std::vector<Line> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream items(line);
    Line& one = out.emplace_back();
    for (std::string* item : {&one.job, &one.index, &one.state, &one.reason, &one.comment})
      std::getline(items, *item, '|');
    std::getline(items, one.command);
  }
  return out;
}

[[noreturn]] void refuse_answer(const CommandResult& result) {
  throw Error(ExitCode::kFailed, "squeue cannot tell what is queued: " + complaint(result));
}

// Slurm forgets jobs some minutes after their end, and calls the number of one that it does not
// know invalid.
bool is_forgotten(const CommandResult& result) {
  return result.errors.find("Invalid job id") != std::string::npos;
}

std::vector<std::string> squeue(const std::string& which, const std::string& cluster) {
  std::vector<std::string> out = {"squeue", "--all", "--noheader", "--array", kFormat, which};
  if (!cluster.empty()) out.push_back("--clusters=" + cluster);
  return out;
}

std::vector<Line> ask_by_number(const std::vector<std::string>& jobs, const std::string& cluster) {
  if (jobs.empty()) return {};
  const CommandResult result =
      slurm_command(squeue(fmt::format("--jobs={}", fmt::join(jobs, ",")), cluster));
  if (result.code == 0) return lines_of(result.output);
  if (!is_forgotten(result)) refuse_answer(result);
  std::vector<Line> out;
  for (const std::string& job : jobs) {
    if (jobs.size() == 1) break;
    for (Line& line : ask_by_number({job}, cluster)) out.push_back(std::move(line));
  }
  return out;
}

// Numbers come again, after years or when Slurm was set up anew. An administrator may have changed
// the comment.
bool is_of(const Sweep& sweep, size_t job, const Line& line) {
  if (line.comment == mark_of(sweep, job)) return true;
  if (line.comment.starts_with("vitrine:")) return false;
  return (line.command + " ").find("/slurm/" + script_name(job) + " ") != std::string::npos;
}

// Of a sweep that needs no more of a job nothing is asked.
bool is_over(const Sweep& sweep, const SlurmJob& job) {
  for (const auto& trials : job.tasks) {
    for (const size_t trial : trials) {
      if (sweep.state(trial).status != TrialStatus::kFinished) return false;
    }
  }
  return true;
}

// A cluster is named only where it is not the one that answers anyway.
std::string other_cluster(const std::string& cluster) {
  return cluster.empty() || slurm_setting("ClusterName") == cluster ? "" : cluster;
}

std::string number_in(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return "";
  const std::string text = read_file_start(file, 20).bytes;
  return text.substr(0, text.find_first_not_of("0123456789"));
}

}  // namespace

std::string script_name(size_t number) { return fmt::format("{:04}.sh", number + 1); }
std::string number_file(size_t number) { return fmt::format("{:04}.job", number + 1); }

std::string mark_of(const Sweep& sweep, size_t job) {
  return fmt::format("vitrine:{}:{}", sweep.id(), job + 1);
}

fs::path task_log(const Sweep& sweep, size_t job, size_t task) {
  return sweep.path() / "slurm" / fmt::format("{}_{}.txt", sweep.slurm_jobs()[job].id, task);
}

std::string end_of_log(const Sweep& sweep, size_t job, size_t task) {
  constexpr uint64_t kMost = uint64_t{1} << 20;
  const fs::path log = task_log(sweep, job, task);
  std::error_code ignored;
  if (!fs::exists(log, ignored)) return "";
  const uint64_t size = fs::file_size(log, ignored);
  return read_file_part(log, size - std::min(size, kMost), kMost);
}

bool find_jobs(Sweep& sweep) {
  bool out = false;
  std::optional<std::vector<Line>> marked;  // asked for once
  for (size_t job = 0; job < sweep.slurm_jobs().size(); ++job) {
    const SlurmJob& noted = sweep.slurm_jobs()[job];
    if (!noted.id.empty() || is_over(sweep, noted)) continue;
    std::string id = number_in(sweep.path() / "slurm" / number_file(job));
    if (id.empty() && !marked) {
      const CommandResult result = slurm_command(squeue(fmt::format("--user={}", getuid()), ""));
      if (result.code != 0) refuse_answer(result);
      marked = lines_of(result.output);
    }
    for (const Line& line : marked.value_or(std::vector<Line>())) {
      if (id.empty() && line.comment == mark_of(sweep, job)) id = line.job;
    }
    if (id.empty()) continue;
    sweep.set_slurm_id(job, id, "");
    out = true;
  }
  return out;
}

std::vector<QueuedTask> queued_tasks(const Sweep& sweep) {
  std::map<std::string, std::vector<std::string>> jobs;  // by cluster
  for (const SlurmJob& job : sweep.slurm_jobs()) {
    if (!job.id.empty() && !is_over(sweep, job)) jobs[job.cluster].push_back(job.id);
  }
  std::vector<QueuedTask> out;
  for (const auto& [cluster, ids] : jobs) {
    for (const Line& line : ask_by_number(ids, other_cluster(cluster))) {
      const auto task = parse_integer(line.index);
      for (size_t i = 0; i < sweep.slurm_jobs().size(); ++i) {
        const SlurmJob& job = sweep.slurm_jobs()[i];
        if (job.id != line.job || !task || *task < 0 || !is_of(sweep, i, line)) continue;
        if (static_cast<size_t>(*task) < job.tasks.size())
          out.push_back({i, static_cast<size_t>(*task), line.state, line.reason});
      }
    }
  }
  return out;
}

std::map<size_t, QueuedTask> queued_trials(const Sweep& sweep,
                                           const std::vector<QueuedTask>& tasks) {
  std::map<size_t, QueuedTask> out;
  for (const QueuedTask& task : tasks) {
    std::set<std::string> ended;
    std::istringstream lines(end_of_log(sweep, task.job, task.task));
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("ended: ")) ended.insert(line.substr(7));
    }
    for (const size_t trial : sweep.slurm_jobs()[task.job].tasks[task.task]) {
      if (!ended.contains(sweep.trials()[trial].folder)) out.insert_or_assign(trial, task);
    }
  }
  return out;
}

}  // namespace vitrine
