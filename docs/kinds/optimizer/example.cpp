#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_sign.h>

#include "framework/registry/register.h"
#include "framework/training/optimizer.h"

namespace vitrine {
namespace {

// The options of every optimizer (lr, weight_decay, layer_decay, ...), and one more.
struct Options : OptimizerOptions {
  double momentum = 0.9;

  Options() : OptimizerOptions(1e-3, WeightDecay::kDecoupled) {}
  void visit(Fields& field) {
    OptimizerOptions::visit(field);
    field("momentum", momentum, "decay of the running mean of gradients", from_below(0, 1));
  }
};

// Steps along the sign of the gradients' running mean: signum of Bernstein et al. 2018, "signSGD:
// Compressed Optimisation for Non-Convex Problems".
class ExampleOptimizer : public Optimizer {
 public:
  // A slot is as long as all parameters, begins as zeros and is kept in checkpoints. Nothing else
  // of an optimizer is.
  ExampleOptimizer(const Options& options, const OptimizerContext& context)
      : Optimizer(options, context), momentum_(options.momentum), mean_(add_slot("mean")) {}

 protected:
  // Parameters that have one learning rate and one weight decay, and of each slot their part.
  void update(const Group& group, double learning_rate) override {
    const std::vector<Tensor>& mean = mean_[group.index];
    at::_foreach_lerp_(mean, group.gradients, 1 - momentum_);
    if (group.weight_decay != 0) decay(group, learning_rate);
    descend(group, at::_foreach_sign(mean), learning_rate);
  }

 private:
  double momentum_;
  Views mean_;
};

VITRINE_REGISTER(Optimizer, ExampleOptimizer, Options, "along the sign of the mean gradient")

}  // namespace
}  // namespace vitrine
