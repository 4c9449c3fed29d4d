#include "framework/training/loop.h"

#include <ATen/ops/linalg_vector_norm.h>
#include <fmt/format.h>

#include "framework/data/tensor_words.h"
#include "framework/model/model.h"

namespace vitrine {

namespace {

Tensor sums_of_step(Experiment& experiment, const Batch& batch, double share,
                    FlatParameters& parameters) {
  const Component* component = experiment.component();
  Tensor sums = in_component(component, "step",
                             [&] { return experiment.differentiate(batch, share, parameters); });
  const bool is_kept = sums.defined() && sums.scalar_type() == at::kDouble && sums.dim() == 1 &&
                       sums.size(0) == experiment.width();
  if (!is_kept && component) {
    fail(*component, "step",
         fmt::format("its sums are {}: they must be {}, as width says", type_and_shape(sums),
                     type_and_shape(at::kDouble, {experiment.width()})));
  }
  return sums;
}

}  // namespace

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
  const Tensor& gradients = learner.parameters->gradients();
  gradients.zero_();
  for (const Batch& batch : batches) {
    const double share = static_cast<double>(batch.size()) / static_cast<double>(images);
    meter.add(sums_of_step(*learner.experiment, batch, share, *learner.parameters), batch.size());
  }
  const Tensor norm = at::linalg_vector_norm(gradients);
  if (clip_norm) gradients.mul_((*clip_norm / (norm + 1e-6)).clamp_max(1.0));
  learner.optimizer->step(learning_rate);
  return norm;
}

}  // namespace vitrine
