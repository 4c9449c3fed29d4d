#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "framework/registry/register.h"
#include "framework/training/optimizer.h"

namespace vitrine {
namespace {

struct Options {
  double lr = 0.001;
  std::vector<double> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0.01;
  bool amsgrad = false;

  void visit(Fields& field) {
    field("lr", lr, "learning rate", at_least(0)).words({"learning_rate", "step_size"});
    field("betas", betas, "decay of the running means of the gradient and of its square",
          from_below(0, 1))
        .words({"beta1", "beta2"});
    field("eps", eps, "added to the denominator", above(0)).words({"epsilon"});
    field("weight_decay", weight_decay,
          "fraction of the weights, times lr, that each step takes off", at_least(0))
        .words({"wd", "decay", "l2"});
    field("amsgrad", amsgrad, "divide by the largest mean square so far");
  }
  void check(const OptimizerContext&, Check& check) const {
    if (betas.size() == 2) return;
    check.error({"betas"}, "betas takes two numbers, got " + std::to_string(betas.size()));
  }
};

// Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019; amsgrad: Reddi et al.,
// 2018.
class AdamW : public Optimizer {
 public:
  AdamW(const Options& options, const OptimizerContext& context)
      : options_(options),
        parameters_(*context.parameters),
        exp_avg_(at::zeros_like(parameters_.values())),
        exp_avg_sq_(at::zeros_like(parameters_.values())),
        step_(at::zeros({1}, parameters_.values().options())) {
    if (options_.amsgrad) max_exp_avg_sq_ = at::zeros_like(parameters_.values());
  }

  double learning_rate() const override { return options_.lr; }

  void step(double learning_rate) override {
    step_.add_(1);
    std::vector<Tensor> largest;
    if (options_.amsgrad) largest.push_back(max_exp_avg_sq_);
    at::_fused_adamw_({parameters_.values()}, {parameters_.gradients()}, {exp_avg_}, {exp_avg_sq_},
                      largest, {step_}, learning_rate, options_.betas[0], options_.betas[1],
                      options_.weight_decay, options_.eps, options_.amsgrad, /*maximize=*/false);
  }

  std::map<std::string, Tensor> slots() override {
    std::map<std::string, Tensor> out = {
        {"exp_avg", exp_avg_}, {"exp_avg_sq", exp_avg_sq_}, {"step", step_}};
    if (options_.amsgrad) out["max_exp_avg_sq"] = max_exp_avg_sq_;
    return out;
  }

 private:
  Options options_;
  FlatParameters& parameters_;
  Tensor exp_avg_, exp_avg_sq_, max_exp_avg_sq_, step_;
};

VITRINE_REGISTER(Optimizer, AdamW, Options, "Adam with weight decay apart from the gradient")

}  // namespace
}  // namespace vitrine
