#pragma once

#include "framework/training/config.h"

namespace vitrine {

// The work and the time that Engine::workload and Engine::time_step speak of.
Workload workload(const Config& config);
double time_step(const Config& config);

// Transforms a few images of noise and, where the model is not recorded, which tries it, takes a
// step on them: so what components do wrong is told before data are loaded and a run is made.
// Leaves the global generator as it was.
void try_step(const Config& config);

// Steps of an epoch of so many images, as Run takes them.
int64_t images_per_epoch(const TrainingOptions& options, int64_t train);
int64_t steps_per_epoch(const TrainingOptions& options, int64_t train);
int64_t total_steps(const TrainingOptions& options, int64_t train);

}  // namespace vitrine
