#pragma once

#include <CLI/CLI.hpp>

#include "framework/sweeps/run_sweep.h"

namespace vitrine {

// How the trials of a sweep are run; what sweep and resume have in common.
class SweepCommand {
 public:
  explicit SweepCommand(CLI::App& app);

  int64_t jobs() const { return jobs_; }  // 0: not given
  // Throws Error(kUsage) for --top and --seeds alone.
  std::optional<Confirmation> confirmation() const;
  bool is_given() const;
  // Runs what is unfinished and shows what came out.
  ExitCode run(Sweep& sweep, bool retry_failed, bool json) const;

 private:
  int64_t jobs_ = 0, top_ = 0, seeds_ = 0;
  bool confirm_ = false;
};

}  // namespace vitrine
