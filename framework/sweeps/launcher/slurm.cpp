#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <regex>
#include <sstream>

#include "framework/config/scalar.h"
#include "framework/files/file.h"
#include "framework/registry/register.h"
#include "framework/sweeps/launcher.h"
#include "framework/sweeps/scheduler.h"
#include "framework/sweeps/slurm_command.h"
#include "framework/sweeps/slurm_end.h"
#include "framework/sweeps/slurm_fit.h"
#include "framework/sweeps/slurm_limit.h"
#include "framework/sweeps/slurm_queue.h"
#include "framework/sweeps/slurm_script.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

// What the queue holds, and what it can no longer tell of the rest.
void mark_trials(Sweep& sweep, const std::map<size_t, QueuedTask>& queued) {
  for (const auto& [trial, task] : queued) {
    const TrialStatus status = sweep.state(trial).status;
    if (status != TrialStatus::kRunning && status != TrialStatus::kFinished)
      sweep.set_queued(trial, task.reason == "None" ? "" : task.reason);
  }
  note_ends(sweep, queued);
}

// The number that sbatch printed, and its cluster: the last line that is one. Sites print greetings
// before it.
struct Submitted {
  std::string id, cluster;
};
std::optional<Submitted> submitted(const std::string& output) {
  static const std::regex kNumber(
      R"((?:Submitted batch job )?([0-9]{1,18})(?:;(\S*))?(?: on cluster \S+)?\s*)");
  std::optional<Submitted> out;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, kNumber)) out = Submitted{match[1], match[2]};
  }
  return out;
}

// Submits what the scheduler gives out and returns at once; at a time so many tasks run, of all
// jobs of the sweep together.
class SlurmLauncher : public Launcher {
 public:
  SlurmLauncher(const NoOptions&, const LauncherContext& context) : jobs_(context.jobs) {}

  bool is_elsewhere() const override { return true; }

  void require() const override {
    for (const char* program : {"sbatch", "squeue"}) slurm_command({program, "--version"});
  }

  int64_t cores(const SweepOptions& options) const override {
    return options.slurm ? options.slurm->cpus_per_task.value_or(1) : 1;
  }

  void fit(SweepOptions& options, Plan& plan) const override { fit_to_slurm(options, plan); }

  // In tasks that run, too.
  void mark(Sweep& sweep) const override {
    if (sweep.slurm_jobs().empty()) return;
    const auto is_finished = [&](const auto& trial) {
      return trial.status == TrialStatus::kFinished;
    };
    bool any = false;
    for (size_t i = 0; i < sweep.trials().size(); ++i) any |= !is_finished(sweep.state(i));
    if (!any) return;
    find_jobs(sweep);
    mark_trials(sweep, queued_trials(sweep, queued_tasks(sweep)));
  }

  // Throws Error(kFailed) with what sbatch says.
  ExitCode launch(Sweep& sweep, Scheduler& scheduler, SweepObserver& observer) override {
    if (find_jobs(sweep)) sweep.write_plan();
    const std::vector<QueuedTask> tasks = queued_tasks(sweep);
    const auto queued = queued_trials(sweep, tasks);
    mark_trials(sweep, queued);
    if (jobs_) limit_tasks(sweep, tasks, *jobs_);
    std::vector<TrialStart> due;
    while (const auto task = scheduler.next()) {
      const bool is_running = sweep.state(task->trial).status == TrialStatus::kRunning;
      if (!is_running && !queued.contains(task->trial)) due.push_back(*task);
    }
    if (!due.empty()) {
      std::vector<size_t> trials;
      for (const TrialStart& task : due) trials.push_back(task.trial);
      observer.submitting(trials);
      submit(sweep, due, tasks, observer);
    }
    sweep.note_states();
    return ExitCode::kDone;
  }

 private:
  // As few jobs as Slurm's limit of an array allows.
  void submit(Sweep& sweep, const std::vector<TrialStart>& due,
              const std::vector<QueuedTask>& queued, SweepObserver& observer) const {
    const auto at_once = static_cast<size_t>(sweep.options().slurm->trials_per_task);
    const size_t tasks = (due.size() + at_once - 1) / at_once;
    const size_t most = tasks > 1 ? most_tasks() : 1;
    if (tasks > most) {
      observer.warning(fmt::format(
          "{} tasks are more than this Slurm takes as one job ({}): submitted as {} jobs; "
          "sweep.slurm.trials_per_task={} would make it one",
          tasks, most, (tasks + most - 1) / most, (due.size() + most - 1) / most));
    }
    std::vector<QueuedTask> before = queued;
    for (size_t begin = 0; begin < due.size(); begin += most * at_once) {
      const size_t end = std::min(due.size(), begin + most * at_once);
      const std::vector<TrialStart> part(due.begin() + static_cast<std::ptrdiff_t>(begin),
                                         due.begin() + static_cast<std::ptrdiff_t>(end));
      submit_array(sweep, part, before);
      const size_t job = sweep.slurm_jobs().size() - 1;
      for (size_t task = 0; task < sweep.slurm_jobs()[job].tasks.size(); ++task)
        before.push_back({job, task, "PENDING", ""});
    }
  }

  static size_t most_tasks() {
    const auto most = parse_integer(slurm_setting("MaxArraySize").value_or(""));
    return most && *most > 1 ? static_cast<size_t>(*most) : SIZE_MAX / 2;
  }

  void submit_array(Sweep& sweep, const std::vector<TrialStart>& due,
                    const std::vector<QueuedTask>& before) const {
    const auto at_once = static_cast<size_t>(sweep.options().slurm->trials_per_task);
    SlurmJob job;
    std::vector<std::vector<TrialStart>> tasks;
    for (size_t i = 0; i < due.size(); ++i) {
      if (i % at_once == 0) {
        tasks.emplace_back();
        job.tasks.emplace_back();
      }
      tasks.back().push_back(due[i]);
      job.tasks.back().push_back(due[i].trial);
    }
    const size_t number = sweep.slurm_jobs().size();
    const fs::path script = write_script(sweep, number, tasks);
    auto words = command(sweep, number, tasks.size(), script, before);
    sweep.add_slurm_job(std::move(job));  // before Slurm is asked: an answer may be lost
    take_answer(sweep, number, slurm_command(std::move(words)));
    for (const TrialStart& task : due) sweep.set_queued(task.trial, "");
  }

  // An answer that was lost is no refusal: whether there is such a job is asked then.
  static void take_answer(Sweep& sweep, size_t number, const CommandResult& result) {
    const auto answer = submitted(result.output);
    const std::string where = escape(sweep.path().string());
    if (result.code == 0 && answer) {
      sweep.set_slurm_id(number, answer->id, answer->cluster);
      return sweep.write_plan();
    }
    const std::string said =
        result.code == 0
            ? fmt::format("sbatch printed \"{}\", not the number of a job", complaint(result))
            : "sbatch refused: " + complaint(result);
    try {
      if (find_jobs(sweep)) return sweep.write_plan();
    } catch (const Error& error) {
      throw Error(
          ExitCode::kFailed,
          fmt::format("{}\n{}\nwhether Slurm has taken the job is not known; the next runner "
                      "resume {} looks for it before it submits anything",
                      said, error.what(), where));
    }
    throw Error(
        ExitCode::kFailed,
        fmt::format("{}\nthe sweep lies in {}; submit it, with what is to be otherwise: runner "
                    "resume {} sweep.slurm.KEY=VALUE",
                    said, where, where));
  }

  static fs::path write_script(const Sweep& sweep, size_t number,
                               const std::vector<std::vector<TrialStart>>& tasks) {
    std::vector<std::vector<std::string>> words;
    for (const auto& trials : tasks) {
      auto& entries = words.emplace_back();
      for (const TrialStart& task : trials) {
        entries.push_back(sweep.trials()[task.trial].folder);
        if (task.stop_after) entries.back() += fmt::format(":{}", *task.stop_after);
      }
    }
    const fs::path folder = sweep.path() / "slurm";
    std::error_code ignored;
    fs::create_directory(folder, ignored);  // what writing into it fails with tells more
    fs::path out = folder / script_name(number);
    write_file_atomically(out,
                          slurm_script(words, number_file(number), sweep.launch_environment()));
    return out;
  }

  std::vector<std::string> command(const Sweep& sweep, size_t number, size_t tasks,
                                   const fs::path& script,
                                   const std::vector<QueuedTask>& before) const {
    const ArrayLimit limit = jobs_ ? limit_beside(sweep, before, *jobs_) : ArrayLimit();
    std::string array = fmt::format("0-{}", tasks - 1);
    if (limit.tasks) array += fmt::format("%{}", *limit.tasks);
    std::vector<std::string> out = {
        "sbatch",
        "--parsable",
        "--job-name=" + sweep.options().name,
        "--comment=" + mark_of(sweep, number),
        "--array=" + array,
        "--output=" + pattern(sweep.path() / "slurm") + "/%A_%a.txt",
        "--open-mode=append",
        "--requeue",
        fmt::format("--signal=B:USR1@{}", SlurmOptions::kSecondsToSave)};
    for (std::string& argument : sweep.options().slurm->arguments(limit.dependency))
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

}  // namespace

VITRINE_REGISTER(Launcher, SlurmLauncher, NoOptions, "array jobs of Slurm's, submitted with sbatch")

}  // namespace vitrine
