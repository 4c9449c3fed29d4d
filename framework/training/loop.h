#pragma once

#include "framework/training/run.h"

namespace vitrine {

// Trains until the run is complete or is asked to stop (Run::stopped says which).
void train(Run& run);

}  // namespace vitrine
