#pragma once

#include "framework/sweeps/launcher.h"
#include "framework/sweeps/scheduler.h"

namespace vitrine {

struct SweepOutcome {
  ExitCode code = ExitCode::kDone;  // of a stop; else kFailed unless all is done
  bool done = false;                // every trial has all that it is to have
  bool under_way = false;           // elsewhere: trials are queued or running
};

// Runs what is unfinished of a sweep: the search, then the runs that confirm its winners.
// `confirm`: as well as what the sweep itself asks for; `more`: where the cells
// that are to come are from.
SweepOutcome run_sweep(Sweep& sweep, Launcher& launcher, SweepObserver& observer, bool retry_failed,
                       const std::optional<Confirmation>& confirm, CellSource* more = nullptr);

// Whether that would run anything, as far as the trials' states tell.
bool has_more(const Sweep& sweep);

}  // namespace vitrine
