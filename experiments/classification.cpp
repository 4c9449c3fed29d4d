#include <ATen/ops/linalg_vector_norm.h>

#include "framework/registry/register.h"
#include "framework/training/experiment.h"
#include "framework/training/model.h"
#include "framework/training/run.h"

namespace vitrine {
namespace {

// The norm of the whole gradient, which is scaled down to `limit` where it is larger.
Tensor clip(Tensor& gradients, const std::optional<double>& limit) {
  const Tensor norm = at::linalg_vector_norm(gradients);
  if (limit) gradients.mul_((*limit / (norm + 1e-6)).clamp_max(1.0));
  return norm;
}

// Supervised training of a model on labelled images.
class Classification : public Experiment {
 public:
  Classification(const NoOptions&, const ExperimentContext&) {}

  void train(Run& run) override {
    run.model().train();
    while (!run.complete()) {
      run.begin_epoch();
      while (run.has_next_step()) {
        const std::vector<Batch> batches = run.next_batches();
        int64_t images = 0;
        for (const Batch& batch : batches) images += batch.size();

        Tensor& gradients = run.parameters().gradients();
        gradients.zero_();
        for (const Batch& batch : batches) {
          const double share = static_cast<double>(batch.size()) / static_cast<double>(images);
          run.count(run.backend().differentiate(batch, run.objective(), share, run.parameters()),
                    batch.size());
        }
        const Tensor norm = clip(gradients, run.options().clip_norm);
        run.optimizer().step(run.learning_rate());
        if (!run.end_step(norm)) return;
      }
      if (!run.end_epoch()) return;
    }
  }
};

VITRINE_REGISTER(Experiment, Classification, NoOptions, "supervised training on labelled images")

}  // namespace
}  // namespace vitrine
