#include "framework/training/loop.h"

#include <ATen/ops/linalg_vector_norm.h>

#include "framework/model/model.h"

namespace vitrine {

void train(Run& run) {
  set_training(run.learner().modules, true);
  run.begin();
  while (!run.complete()) {
    run.begin_epoch();
    while (run.has_next_step()) {
      const Tensor norm = train_step(run.learner(), run.next_batches(), run.options().clip_norm,
                                     run.learning_rate(), run.meter());
      if (!run.end_step(norm)) return;
    }
    if (!run.end_epoch()) return;
  }
}

Tensor train_step(Learner& learner, const std::vector<Batch>& batches,
                  const std::optional<double>& clip_norm, double learning_rate, Meter& meter) {
  int64_t images = 0;
  for (const Batch& batch : batches) images += batch.size();
  Tensor& gradients = learner.parameters->gradients();
  gradients.zero_();
  for (const Batch& batch : batches) {
    const double share = static_cast<double>(batch.size()) / static_cast<double>(images);
    meter.add(learner.experiment->differentiate(batch, share, *learner.parameters), batch.size());
  }
  const Tensor norm = at::linalg_vector_norm(gradients);
  if (clip_norm) gradients.mul_((*clip_norm / (norm + 1e-6)).clamp_max(1.0));
  learner.optimizer->step(learning_rate);
  return norm;
}

}  // namespace vitrine
