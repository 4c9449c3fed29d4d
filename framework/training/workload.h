#pragma once

#include "framework/training/config.h"

namespace vitrine {

// As Engine::workload and Engine::time_step say.
Workload workload(const Config& config);
double time_step(const Config& config);

// Steps of an epoch of so many images, as Run takes them.
int64_t images_per_epoch(const TrainingOptions& options, int64_t train);
int64_t steps_per_epoch(const TrainingOptions& options, int64_t train);
int64_t total_steps(const TrainingOptions& options, int64_t train);

}  // namespace vitrine
