#pragma once

#include <string>

#include "framework/runs/run_directory.h"
#include "framework/training/model_file.h"

namespace vitrine {

// The checkpoint that "best", "last" or a step means in a run. Throws Error(kCheckpoint) where it
// has none, and Error(kUsage) for one that it does not have.
Place find_checkpoint(const RunDirectory& run, const std::string& which);

// A model ready for use. Throws Error(kUsage) where a checkpoint is asked of a file, and
// Error(kCheckpoint) for what cannot be loaded.
ModelFile open_model(const WeightsSource& source);

}  // namespace vitrine
