#pragma once

#include <memory>

#include "framework/error.h"
#include "framework/sweeps/scheduler.h"

namespace vitrine {

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

// Where trials run.
class Launcher {
 public:
  virtual ~Launcher() = default;
  // Runs what the scheduler gives out (or hands it on and returns at once). Returns
  // observer.stop_requested() where it was stopped.
  virtual ExitCode launch(Sweep& sweep, Scheduler& scheduler, SweepObserver& observer) = 0;
};

// Processes on this machine, `jobs` at a time, each pinned to one of `devices` GPUs where there are
// some. They end when this process does.
std::unique_ptr<Launcher> local_launcher(int64_t jobs, int64_t devices);

// The variable that tells a trial the process that it ends with.
inline constexpr const char* kParentVariable = "VITRINE_PARENT";

}  // namespace vitrine
