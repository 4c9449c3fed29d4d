#pragma once

#include <string>

#include "framework/sweeps/launcher.h"

namespace vitrine {

// How the trials of a sweep are run; what sweep and resume have in common.
struct SweepRun {
  int64_t jobs = 0;  // 0: as planned
  bool retry_failed = false, json = false;
};

// Runs what is unfinished and shows what came out.
ExitCode run_sweep(Sweep& sweep, const SweepRun& options);

}  // namespace vitrine
