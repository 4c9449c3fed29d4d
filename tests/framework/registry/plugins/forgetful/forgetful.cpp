#include <ATen/ops/zeros_like.h>

#include "framework/registry/register.h"
#include "framework/training/optimizer.h"

// A momentum that no slot has.
namespace vitrine {
namespace {

struct Options : OptimizerOptions {
  Options() : OptimizerOptions(0.01, WeightDecay::kL2) {}
};

class Forgetful : public Optimizer {
 public:
  Forgetful(const Options& options, const OptimizerContext& context)
      : Optimizer(options, context) {}

 protected:
  void update(const Group& group, double lr) override {
    for (size_t i = 0; i < group.values.size(); ++i) {
      Tensor& momentum = momenta_[group.values[i].unsafeGetTensorImpl()];
      if (!momentum.defined()) momentum = at::zeros_like(group.values[i]);
      momentum.mul_(0.9).add_(group.gradients[i]);
      group.values[i].sub_(momentum, lr);
    }
  }

 private:
  std::map<const void*, Tensor> momenta_;
};

VITRINE_REGISTER(Optimizer, Forgetful, Options, "forgets its momentum")

}  // namespace
}  // namespace vitrine
