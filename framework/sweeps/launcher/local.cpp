#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <sstream>
#include <thread>
#include <utility>

#include "framework/config/yaml.h"
#include "framework/files/descriptor.h"
#include "framework/pace.h"
#include "framework/registry/register.h"
#include "framework/runs/lock.h"
#include "framework/sweeps/command.h"
#include "framework/sweeps/disk_space.h"
#include "framework/sweeps/launcher.h"
#include "framework/sweeps/scheduler.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// The GPU of a slot, of those that this process may use.
std::string visible_device(int64_t slot, int64_t devices) {
  std::vector<std::string> visible;
  if (const char* given = std::getenv("CUDA_VISIBLE_DEVICES")) {
    std::istringstream names(given);
    for (std::string name; std::getline(names, name, ',');) visible.push_back(name);
  }
  const int64_t device = slot % devices;
  if (visible.empty()) return std::to_string(device);
  return visible[static_cast<size_t>(device) % visible.size()];
}

struct Child {
  pid_t id;
  TrialStart task;
  int64_t slot;
};

// Processes on this machine, each pinned to one of the GPUs where there are some. They end when
// this process does.
class LocalLauncher : public Launcher {
 public:
  LocalLauncher(const NoOptions&, const LauncherContext& context)
      : jobs_(context.jobs.value_or(1)), devices_(context.devices) {}
  ~LocalLauncher() override {
    signal_all(SIGTERM);
    for (const Child& child : children_) waitpid(child.id, nullptr, 0);
  }

  ExitCode launch(Sweep& sweep, Scheduler& scheduler, SweepObserver& observer) override {
    wait_for_orphans(sweep, observer);
    ExitCode stopped = ExitCode::kDone;
    for (;;) {
      const bool stops_now = stopped == ExitCode::kDone;
      stopped = observer.stop_requested();
      if (stopped == ExitCode::kDone) {
        if (!is_full_) start_due(sweep, scheduler, observer);
      } else if (stops_now) {
        signal_all(SIGTERM);
      }
      if (children_.empty()) break;
      if (!reap(sweep, scheduler, observer)) std::this_thread::sleep_for(kPause);
      refresh_running(sweep);
      observer.tick();
    }
    sweep.note_states();
    return stopped == ExitCode::kDone && is_full_ ? ExitCode::kStopped : stopped;
  }

 private:
  static constexpr auto kPause = std::chrono::milliseconds(10);

  // Trials of a sweep that was killed are saving still. One that goes on for long is left to
  // whoever runs it.
  static void wait_for_orphans(const Sweep& sweep, SweepObserver& observer) {
    constexpr auto kPatience = std::chrono::seconds(60);
    const auto begin = Clock::now();
    for (size_t i = 0; i < sweep.trials().size(); ++i) {
      while (RunLock::is_held(sweep.folder(i)) && observer.stop_requested() == ExitCode::kDone) {
        if (Clock::now() - begin > kPatience) break;
        std::this_thread::sleep_for(kPause);
      }
    }
  }

  void start_due(Sweep& sweep, Scheduler& scheduler, SweepObserver& observer) {
    while (!is_full_ && static_cast<int64_t>(children_.size()) < jobs_) {
      const auto task = next(scheduler, observer);
      if (!task) return;
      if (RunLock::is_held(sweep.folder(task->trial))) {
        sweep.set_status(task->trial, TrialStatus::kRunning);
        scheduler.ended(*task);
        continue;
      }
      try {
        prepare(sweep, *task);
      } catch (const Error& error) {  // a folder that cannot be used keeps no other from starting
        if (tells_of_full_disk(error.what())) {
          pause(sweep, task->trial, error.what(), observer);
        } else {
          sweep.set_failed(task->trial, error);
        }
        scheduler.ended(*task);
        observer.ended(task->trial);
        continue;
      }
      start(sweep, *task);
      observer.started(task->trial);
    }
  }

  // A cell that is proposed needs room.
  std::optional<TrialStart> next(Scheduler& scheduler, SweepObserver& observer) {
    try {
      return scheduler.next();
    } catch (const Error& error) {
      if (!tells_of_full_disk(error.what())) throw;
      pause(error.what(), observer);
      return std::nullopt;
    }
  }

  // A full disk would fail one trial after the other: no more are started.
  void pause(Sweep& sweep, size_t trial, const std::string& error, SweepObserver& observer) {
    sweep.set_out_of_room(trial, error);
    pause(error, observer);
  }
  void pause(const std::string& error, SweepObserver& observer) {
    if (std::exchange(is_full_, true)) return;
    observer.warning(
        fmt::format("paused: there is no room on the disk ({}); no more trials are "
                    "started, and what lacked room counts as not done",
                    escape_lines(error)));
  }

  // What a trial's process is started with.
  void prepare(const Sweep& sweep, const TrialStart& task) {
    const fs::path run = sweep.folder(task.trial);
    command_ = {.words = {sweep.program().string(), "resume", run.string()}, .own_group = true};
    if (task.stop_after) {
      command_.words.emplace_back("--stop-after");
      command_.words.push_back(std::to_string(*task.stop_after));
    }
    auto& variables = command_.variables;
    const LaunchEnvironment& environment = sweep.launch_environment();
    variables = environment.assignments();
    if (environment.variables)
      command_.inherits = [](std::string_view name) { return !LaunchEnvironment::matters(name); };
    std::error_code ignored;
    if (fs::is_directory(environment.directory, ignored))
      command_.directory = environment.directory;
    variables.push_back(fmt::format("{}={}", kParentVariable, getpid()));
    variables.emplace_back("NO_COLOR=1");
    const int64_t threads = sweep.trials()[task.trial].threads;
    variables.push_back("OMP_NUM_THREADS=" + std::to_string(threads));
    // Huge pages for all memory of glibc: a trial takes 0.1 s less of the kernel's time to start.
    if (!std::getenv("GLIBC_TUNABLES")) {
      variables.emplace_back("GLIBC_TUNABLES=glibc.malloc.hugetlb=1");
    }
    if (devices_ > 0)
      variables.push_back("CUDA_VISIBLE_DEVICES=" + visible_device(free_slot(), devices_));
    const fs::path path = trial_output(run);
    output_ = open_descriptor(path, O_WRONLY | O_CREAT | O_APPEND);
    if (!output_.is_open()) throw_write_error(path, errno);
  }

  void start(Sweep& sweep, const TrialStart& task) {
    const auto id = start_command(std::move(command_), output_.get(), output_.get());
    output_ = Descriptor();
    if (!id) {
      throw Error(ExitCode::kFailed, fmt::format("cannot start {}: No such file or directory",
                                                 escape(sweep.program().string())));
    }
    children_.push_back({*id, task, free_slot()});
    sweep.set_status(task.trial, TrialStatus::kRunning);
  }

  int64_t free_slot() const {
    for (int64_t slot = 0;; ++slot) {
      if (std::none_of(children_.begin(), children_.end(),
                       [&](const Child& child) { return child.slot == slot; }))
        return slot;
    }
  }

  void signal_all(int signal) const {
    for (const Child& child : children_) kill(child.id, signal);
  }

  // False: none has ended.
  bool reap(Sweep& sweep, Scheduler& scheduler, SweepObserver& observer) {
    bool any = false;
    for (size_t i = 0; i < children_.size();) {
      int status = 0;
      if (waitpid(children_[i].id, &status, WNOHANG) != children_[i].id) {
        ++i;
        continue;
      }
      const TrialStart task = children_[i].task;
      children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(i));
      note_end(sweep, task.trial, status, observer);
      scheduler.ended(task);
      observer.ended(task.trial);
      any = true;
    }
    return any;
  }

  void note_end(Sweep& sweep, size_t trial, int status, SweepObserver& observer) {
    const fs::path run = sweep.folder(trial);
    std::string unwritten;
    try {
      record_end(run, status);
    } catch (const Error& error) {  // what ended the trial is still to be told
      unwritten = error.what();
    }
    sweep.refresh(trial);
    const TrialState& state = sweep.state(trial);
    const bool failed =
        WIFEXITED(status) && WEXITSTATUS(status) == 1 && state.status != TrialStatus::kFinished;
    if (state.lacks_room || tells_of_full_disk(unwritten)) {
      pause(sweep, trial, state.lacks_room ? state.error : unwritten, observer);
    } else if (failed && !has_disk_space(run)) {
      pause(sweep, trial, "the trial left no words", observer);
    } else if (!unwritten.empty()) {
      observer.warning(unwritten);
    }
  }

  static void record_end(const fs::path& run, int status) {
    if (WIFSIGNALED(status)) {
      // SIGTERM before it could be handled: stopped like any other.
      if (WTERMSIG(status) != SIGTERM) record_signal(run, WTERMSIG(status));
      return;
    }
    const auto code = static_cast<ExitCode>(WEXITSTATUS(status));
    const bool resumable = code == ExitCode::kDone || code == ExitCode::kStopped ||
                           code == ExitCode::kInterrupted || code == ExitCode::kTerminated;
    if (!resumable) record_exit_code(run, static_cast<int>(code));
  }

  void refresh_running(Sweep& sweep) {
    constexpr auto kInterval = std::chrono::seconds(1);
    if (Clock::now() - refreshed_ < kInterval) return;
    refreshed_ = Clock::now();
    for (const Child& child : children_) {
      sweep.refresh(child.task.trial);
      // Before it has its lock, too.
      sweep.set_status(child.task.trial, TrialStatus::kRunning);
    }
    if (noted_.is_due()) noted_.perform([&] { sweep.note_states(); });
  }

  int64_t jobs_, devices_;
  Command command_;  // of the trial that is started next
  Descriptor output_;
  std::vector<Child> children_;
  bool is_full_ = false;  // the disk
  Clock::time_point refreshed_{};
  Pace noted_;
};

}  // namespace

VITRINE_REGISTER(Launcher, LocalLauncher, NoOptions, "processes on this machine")

}  // namespace vitrine
