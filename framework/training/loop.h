#pragma once

#include "framework/training/meter.h"
#include "framework/training/run.h"

namespace vitrine {

// Trains until the run is complete or is asked to stop (Run::stopped says which).
void train(Run& run);

// One optimizer step, over the mean loss of all images of `batches`. Returns the norm of the
// gradient, before it was scaled down to `clip_norm`.
Tensor train_step(Learner& learner, const std::vector<Batch>& batches,
                  const std::optional<double>& clip_norm, double learning_rate, Meter& meter);

}  // namespace vitrine
