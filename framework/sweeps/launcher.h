#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/error.h"
#include "framework/registry/registry.h"

namespace vitrine {

class Scheduler;
class Sweep;
struct Plan;
struct SweepOptions;

// How a launcher talks to whoever started it.
class SweepObserver {
 public:
  virtual ~SweepObserver() = default;
  virtual void started(size_t trial) = 0;
  // The trial's process has ended; the sweep knows its state.
  virtual void ended(size_t trial) = 0;
  // Often; running trials' states are a second old at most.
  virtual void tick() = 0;
  // These trials are to be submitted to other machines. Throws Error where that makes no sense.
  virtual void submitting(const std::vector<size_t>&) {}
  // What is to be known before more trials are run.
  virtual void warning(const std::string&) {}
  // 0, or the exit code with which to stop (kStopped, kInterrupted or kTerminated).
  virtual ExitCode stop_requested() = 0;
};

struct LauncherContext {
  std::optional<int64_t> jobs;  // trials at a time; none: as many as are let
  int64_t devices = 0;          // GPUs of this machine that trials are dealt out to
};

// Where the trials of a sweep run (`sweep.launcher`).
class Launcher : public Registered {
 public:
  static constexpr const char* kKind = "launcher";
  using Context = LauncherContext;

  virtual ~Launcher() = default;

  // Whether that is on other machines: then they are handed on, and nobody waits for them.
  virtual bool is_elsewhere() const { return false; }
  // Throws Error(kFailed) where what it needs is not there.
  virtual void require() const {}
  // The cores that a trial is given there.
  virtual int64_t cores(const SweepOptions&) const { return 1; }
  // Completes the options by a plan for it. Throws Error(kUsage) where they do not fit.
  virtual void fit(SweepOptions&, Plan&) const {}
  // Marks unfinished trials that wait elsewhere, with what they wait for; of others, how they
  // ended. Throws Error(kFailed) where that cannot be asked.
  virtual void mark(Sweep&) const {}
  // Runs what the scheduler gives out. Returns observer.stop_requested() where it was stopped.
  virtual ExitCode launch(Sweep& sweep, Scheduler& scheduler, SweepObserver& observer) = 0;
};

// The variable that tells a trial the process that it ends with.
inline constexpr const char* kParentVariable = "VITRINE_PARENT";
// The variable that tells a trial that signals may come twice: a batch system sends them to all
// processes of a job, and the job's script passes them on.
inline constexpr const char* kBatchVariable = "VITRINE_BATCH";

}  // namespace vitrine
