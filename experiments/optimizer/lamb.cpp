#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>

#include "framework/config/counted.h"
#include "framework/registry/register.h"
#include "framework/training/optimizer.h"

namespace vitrine {
namespace {

struct Options : OptimizerOptions {
  std::vector<double> betas = {0.9, 0.999};
  double eps = 1e-6;

  Options() : OptimizerOptions(0.001, WeightDecay::kDecoupled, 0.01) {}
  void visit(Fields& field) {
    OptimizerOptions::visit(field);
    counted(field("betas", betas, "decay of the running means of the gradient and of its square",
                  from_below(0, 1)),
            2)
        .words({"beta1", "beta2", "adam_beta1", "adam_beta2"});
    field("eps", eps, "added to the denominator", above(0)).words({"epsilon", "adam_epsilon"});
  }
  using OptimizerOptions::check;
  void check(Check& check) const {
    check_betas(betas, check);  // exclude_bias_and_norm is of use without weight decay too
  }
};

// You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes", 2020.
// What weight decay is kept from keeps Adam's step, as in the authors' program.
class Lamb : public Optimizer {
 public:
  Lamb(const Options& options, const OptimizerContext& context)
      : Optimizer(options, context, /*one_by_one=*/true),
        options_(options),
        exp_avg_(add_slot("exp_avg")),
        exp_avg_sq_(add_slot("exp_avg_sq")) {
    count_steps(device());
  }

 protected:
  void update(const Group& group, double learning_rate) override {
    const std::vector<Tensor> directions = adam(group);
    if (group.weight_decay != 0) at::_foreach_add_(directions, group.values, group.weight_decay);
    if (!group.is_excluded) at::_foreach_mul_(directions, trust(group.values, directions));
    descend(group, directions, learning_rate);
  }

 private:
  std::vector<Tensor> adam(const Group& group) const {
    // MPS has no double precision.
    const Tensor steps = group.steps.squeeze().to(device().is_mps() ? at::kFloat : at::kDouble);
    const Tensor bias1 = 1 - at::pow(options_.betas[0], steps);
    const Tensor bias2 = 1 - at::pow(options_.betas[1], steps);
    std::vector<Tensor> out;
    for (size_t i = 0; i < group.values.size(); ++i) {
      const Tensor& gradient = group.gradients[i];
      Tensor mean = exp_avg_[group.index][i], square = exp_avg_sq_[group.index][i];
      mean.mul_(options_.betas[0]).add_(gradient, 1 - options_.betas[0]);
      square.mul_(options_.betas[1]).addcmul_(gradient, gradient, 1 - options_.betas[1]);
      out.push_back((mean / bias1).div_((square / bias2).sqrt_().add_(options_.eps)));
    }
    return out;
  }

  // Of each parameter the norm of its values by that of its direction, or 1 where one of them is 0.
  static std::vector<Tensor> trust(const std::vector<Tensor>& values,
                                   const std::vector<Tensor>& directions) {
    const Tensor weights = at::stack(at::_foreach_norm(values));
    const Tensor steps = at::stack(at::_foreach_norm(directions));
    const Tensor usable = (weights > 0).logical_and_(steps > 0);
    return at::where(usable, weights / steps, at::ones_like(steps)).unbind();
  }

  Options options_;
  Views exp_avg_, exp_avg_sq_;
};

VITRINE_REGISTER(Optimizer, Lamb, Options,
                 "Adam with steps in proportion to the norm of each parameter, for large batches")

}  // namespace
}  // namespace vitrine
