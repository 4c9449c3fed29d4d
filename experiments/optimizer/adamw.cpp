#include <ATen/ops/_fused_adamw.h>

#include "framework/config/counted.h"
#include "framework/registry/register.h"
#include "framework/training/optimizer.h"

namespace vitrine {
namespace {

struct Options : OptimizerOptions {
  std::vector<double> betas = {0.9, 0.999};
  double eps = 1e-8;
  bool amsgrad = false;

  Options() : OptimizerOptions(0.001, WeightDecay::kDecoupled, 0.01) {}
  void visit(Fields& field) {
    OptimizerOptions::visit(field);
    counted(field("betas", betas, "decay of the running means of the gradient and of its square",
                  from_below(0, 1)),
            2)
        .words({"beta1", "beta2", "adam_beta1", "adam_beta2"});
    field("eps", eps, "added to the denominator", above(0)).words({"epsilon", "adam_epsilon"});
    field("amsgrad", amsgrad, "divide by the largest mean square so far");
  }
  using OptimizerOptions::check;
  void check(Check& check) const {
    OptimizerOptions::check(check);
    check_betas(betas, check);
  }
};

// Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019; amsgrad: Reddi et al.,
// 2018.
class AdamW : public Optimizer {
 public:
  AdamW(const Options& options, const OptimizerContext& context)
      : Optimizer(options, context),
        options_(options),
        exp_avg_(add_slot("exp_avg")),
        exp_avg_sq_(add_slot("exp_avg_sq")) {
    count_steps(device());
    if (options_.amsgrad) max_exp_avg_sq_ = add_slot("max_exp_avg_sq");
  }

 protected:
  void update(const Group& group, double /*learning_rate*/) override {
    const std::vector<Tensor> steps(group.values.size(), group.steps);
    at::_fused_adamw_(group.values, group.gradients, exp_avg_[group.index],
                      exp_avg_sq_[group.index],
                      options_.amsgrad ? max_exp_avg_sq_[group.index] : std::vector<Tensor>(),
                      steps, group.rate, options_.betas[0], options_.betas[1], group.weight_decay,
                      options_.eps, options_.amsgrad, /*maximize=*/false);
  }

 private:
  Options options_;
  Views exp_avg_, exp_avg_sq_, max_exp_avg_sq_;
};

VITRINE_REGISTER(Optimizer, AdamW, Options, "Adam with weight decay apart from the gradient")

}  // namespace
}  // namespace vitrine
