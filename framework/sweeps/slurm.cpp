#include "framework/sweeps/slurm.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

#include "framework/config/scalar.h"
#include "framework/files/file.h"
#include "framework/sweeps/command.h"
#include "framework/sweeps/slurm_script.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

CommandResult slurm_command(std::vector<std::string> words) {
  const std::string program = words[0];
  if (auto result = run_command(std::move(words))) return *result;
  throw Error(ExitCode::kFailed, program +
                                     " was not found on the PATH: sweeps with the launcher slurm "
                                     "need Slurm's commands; --launcher local runs here");
}

std::string trimmed(const std::string& text) {
  const size_t end = text.find_last_not_of(" \n");
  return end == text.npos ? "" : text.substr(0, end + 1);
}

std::string complaint(const CommandResult& result) {
  const std::string text = escape_lines(trimmed(result.errors + result.output));
  return text.empty() ? fmt::format("exit code {}", result.code) : text;
}

// Trials whose task is in the queue, running or about to be.
std::set<size_t> queued_trials(const Sweep& sweep) {
  std::set<size_t> out;
  if (sweep.slurm_jobs().empty()) return out;
  // Of a job that has ended long ago squeue knows no more; a name it never refuses.
  const CommandResult result = slurm_command(
      {"squeue", "--noheader", "--array", "--format=%F %K", "--name=" + sweep.options().name});
  if (result.code != 0)
    throw Error(ExitCode::kFailed, "squeue cannot tell what is queued: " + complaint(result));
  std::istringstream lines(result.output);
  std::string id, index;
  while (lines >> id >> index) {
    const auto task = parse_integer(index);
    for (const SlurmJob& job : sweep.slurm_jobs()) {
      if (job.id != id || !task || *task < 0) continue;
      if (static_cast<size_t>(*task) >= job.tasks.size()) continue;
      const auto& trials = job.tasks[static_cast<size_t>(*task)];
      out.insert(trials.begin(), trials.end());
    }
  }
  return out;
}

// Whether its folder alone does not tell all that there is to know.
bool may_be_queued(const TrialState& state) {
  return state.status != TrialStatus::kRunning && state.status != TrialStatus::kFinished &&
         !state.is_failed();
}

void mark(Sweep& sweep, const std::set<size_t>& queued) {
  for (const size_t trial : queued) {
    if (may_be_queued(sweep.state(trial))) sweep.set_status(trial, TrialStatus::kQueued);
  }
}

class SlurmLauncher : public Launcher {
 public:
  explicit SlurmLauncher(std::optional<int64_t> jobs) : jobs_(jobs) {}

  ExitCode launch(Sweep& sweep, Scheduler& scheduler, SweepObserver&) override {
    const auto queued = queued_trials(sweep);
    mark(sweep, queued);
    std::vector<size_t> trials;
    while (const auto task = scheduler.next()) {
      const bool is_running = sweep.state(task->trial).status == TrialStatus::kRunning;
      if (!is_running && !queued.contains(task->trial)) trials.push_back(task->trial);
    }
    if (!trials.empty()) submit(sweep, trials);
    sweep.note_states();
    return ExitCode::kDone;
  }

 private:
  void submit(Sweep& sweep, const std::vector<size_t>& trials) const {
    SlurmJob job;
    const auto at_once = static_cast<size_t>(sweep.options().slurm->trials_per_task);
    for (size_t i = 0; i < trials.size(); i += at_once) {
      const auto begin = trials.begin() + static_cast<std::ptrdiff_t>(i);
      job.tasks.emplace_back(
          begin, begin + static_cast<std::ptrdiff_t>(std::min(at_once, trials.size() - i)));
    }
    const fs::path script = write_script(sweep, job);
    const CommandResult result = slurm_command(command(sweep, job.tasks.size(), script));
    const std::string where = escape(sweep.path().string());
    if (result.code != 0) {
      throw Error(
          ExitCode::kFailed,
          fmt::format("sbatch refused: {}\nthe sweep lies in {}; correct sweep.slurm in its "
                      "sweep.yaml, then submit it with: runner resume {}",
                      complaint(result), where, where));
    }
    job.id = trimmed(result.output);
    if (job.id.empty() || job.id.find_first_not_of("0123456789") != job.id.npos) {
      throw Error(ExitCode::kFailed,
                  fmt::format("sbatch printed \"{}\", not the number of a job; if one was "
                              "submitted, cancel it before: runner resume {}",
                              escape(job.id), where));
    }
    sweep.add_slurm_job(std::move(job));
    for (const size_t trial : trials) sweep.set_status(trial, TrialStatus::kQueued);
  }

  static fs::path write_script(const Sweep& sweep, const SlurmJob& job) {
    std::vector<std::vector<std::string>> tasks;
    for (const auto& trials : job.tasks) {
      auto& folders = tasks.emplace_back();
      for (const size_t trial : trials) folders.push_back(sweep.trials()[trial].folder);
    }
    const fs::path folder = sweep.path() / "slurm";
    std::error_code ignored;
    fs::create_directory(folder, ignored);  // what writing into it fails with tells more
    fs::path out = folder / fmt::format("{:04}.sh", sweep.slurm_jobs().size() + 1);
    write_file_atomically(out, slurm_script(tasks));
    return out;
  }

  std::vector<std::string> command(const Sweep& sweep, size_t tasks, const fs::path& script) const {
    std::string array = fmt::format("0-{}", tasks - 1);
    if (jobs_) array += fmt::format("%{}", *jobs_);
    std::vector<std::string> out = {
        "sbatch",
        "--parsable",
        "--job-name=" + sweep.options().name,
        "--array=" + array,
        "--output=" + pattern(sweep.path() / "slurm") + "/%A_%a.txt",
        "--open-mode=append",
        "--requeue",
        fmt::format("--signal=B:USR1@{}", SlurmOptions::kSecondsToSave)};
    for (std::string& argument : sweep.options().slurm->arguments())
      out.push_back(std::move(argument));
    out.push_back(script.string());
    out.push_back(sweep.path().string());
    return out;
  }

  // As a pattern of Slurm's that means this very path.
  static std::string pattern(const fs::path& path) {
    if (path.string().find('\\') != std::string::npos) {
      throw Error(
          ExitCode::kUsage,
          "Slurm cannot write to a folder with a backslash in its path: " + escape(path.string()));
    }
    std::string out;
    for (const char c : path.string()) {
      out += c;
      if (c == '%') out += c;
    }
    return out;
  }

  std::optional<int64_t> jobs_;
};

int64_t most_threads(const Plan& plan) {
  int64_t out = 1;
  for (const Cell& cell : plan.cells) out = std::max(out, cell.resolved->threads);
  return out;
}

}  // namespace

void require_slurm() {
  for (const char* program : {"sbatch", "squeue"}) slurm_command({program, "--version"});
}

void fit_to_slurm(SweepOptions& options, Plan& plan) {
  if (!options.slurm) options.slurm.emplace();
  SlurmOptions& slurm = *options.slurm;
  const int64_t threads = most_threads(plan);
  if (slurm.cpus_per_task.value_or(threads) < threads) {
    throw Error(ExitCode::kUsage,
                fmt::format("sweep.slurm.cpus_per_task ({}) is less than the threads of a trial "
                            "({})",
                            *slurm.cpus_per_task, threads));
  }
  slurm.cpus_per_task = slurm.cpus_per_task.value_or(threads);
  const auto on_cpu = [](const Cell& cell) { return cell.resolved->device == "cpu"; };
  const bool wants_gpu = slurm.gpus || (slurm.gres && slurm.gres->starts_with("gpu"));
  if (wants_gpu && std::all_of(plan.cells.begin(), plan.cells.end(), on_cpu)) {
    throw Error(ExitCode::kUsage,
                "sweep.slurm asks for GPUs, but the trials compute on the cpu: where no GPU is "
                "here none can be chosen; submit from a machine that has one, or leave gpus and "
                "gres out");
  }
  plan.jobs = options.jobs.value_or(static_cast<int64_t>(plan.trials()));
}

std::unique_ptr<Launcher> slurm_launcher(std::optional<int64_t> jobs) {
  return std::make_unique<SlurmLauncher>(jobs);
}

void mark_queued(Sweep& sweep) {
  for (size_t i = 0; i < sweep.trials().size(); ++i) {
    if (may_be_queued(sweep.state(i))) return mark(sweep, queued_trials(sweep));
  }
}

}  // namespace vitrine
