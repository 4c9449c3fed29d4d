#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "framework/engine/engine.h"
#include "framework/files/place.h"
#include "framework/runs/checkpoint.h"
#include "framework/training/setup.h"

// The first of several ranks has the run's folder and writes it. Each of the others works in a
// folder of its own, with what it needs of the first one's, which goes with it.
namespace vitrine {

// Gives the file of the first rank to all; `place` is each one's own.
void share_file(const Place& place);
// What a resume reads, of the first one's run that stands at this step and has its best at that
// one. The others call it with their own folder, which is made.
struct ResumedFrom {
  std::filesystem::path run;
  std::optional<int64_t> step, best;
};
void share_run(const ResumedFrom& from);

// The exit code with which all ranks are to stop, as one of them was asked to; kDone: none was.
ExitCode agreed_stop(Observer& observer);

// Throws Error(kUsage) where ranks have other programs, processors or configs, with hosts and
// values.
void check_alike(const ResolvedConfig& config);
// The same of other data, and of other weights.
void check_alike(const Data& data);
void check_alike(const Modules& modules);
// Throws Error(kFailed) with a rank that has another tensor than the others at this step.
void check_alike(const std::vector<OwnedTensor>& tensors, int64_t step);

}  // namespace vitrine
