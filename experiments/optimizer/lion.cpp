#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_sign.h>

#include "framework/config/counted.h"
#include "framework/registry/register.h"
#include "framework/training/optimizer.h"

namespace vitrine {
namespace {

struct Options : OptimizerOptions {
  std::vector<double> betas = {0.9, 0.99};

  Options() : OptimizerOptions(1e-4, WeightDecay::kDecoupled) {}
  void visit(Fields& field) {
    OptimizerOptions::visit(field);
    counted(field("betas", betas, "share of the running mean in a step's direction, and its decay",
                  from_below(0, 1)),
            2)
        .words({"beta1", "beta2"});
  }
  using OptimizerOptions::check;
  void check(Check& check) const {
    OptimizerOptions::check(check);
    check_betas(betas, check);
  }
};

// Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023.
class Lion : public Optimizer {
 public:
  Lion(const Options& options, const OptimizerContext& context)
      : Optimizer(options, context), options_(options), exp_avg_(add_slot("exp_avg")) {}

 protected:
  void update(const Group& group, double learning_rate) override {
    const std::vector<Tensor>& exp_avg = exp_avg_[group.index];
    if (group.weight_decay != 0) decay(group, learning_rate);
    const std::vector<Tensor> direction =
        at::_foreach_lerp(exp_avg, group.gradients, 1 - options_.betas[0]);
    at::_foreach_sign_(direction);
    descend(group, direction, learning_rate);
    at::_foreach_lerp_(exp_avg, group.gradients, 1 - options_.betas[1]);
  }

 private:
  Options options_;
  Views exp_avg_;
};

VITRINE_REGISTER(Optimizer, Lion, Options,
                 "steps of one size, along the sign of the running mean of the gradient")

}  // namespace
}  // namespace vitrine
