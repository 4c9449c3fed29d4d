#include <ATen/ops/zeros_like.h>

#include "framework/registry/register.h"
#include "framework/training/optimizer.h"

namespace vitrine {
namespace {

struct Options {
  double lr = 0.01;
  double alpha = 0.99;
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum = 0;
  bool centered = false;

  void visit(Fields& field) {
    field("lr", lr, "learning rate", at_least(0)).words({"learning_rate", "step_size"});
    field("alpha", alpha, "decay of the running mean of the squared gradient", from_below(0, 1))
        .words({"rho"});
    field("eps", eps, "added to the denominator", above(0)).words({"epsilon"});
    field("weight_decay", weight_decay, "factor of the weights that is added to the gradients",
          at_least(0))
        .words({"wd", "decay", "l2"});
    field("momentum", momentum, "how much of the last step's direction is kept", at_least(0));
    field("centered", centered, "divide by the deviation from the mean gradient");
  }
};

// Tieleman and Hinton, Coursera lecture 6.5, 2012; centered: Graves, arXiv:1308.0850.
class RmsProp : public Optimizer {
 public:
  RmsProp(const Options& options, const OptimizerContext& context)
      : options_(options),
        parameters_(*context.parameters),
        square_avg_(at::zeros_like(parameters_.values())) {
    if (options_.centered) grad_avg_ = at::zeros_like(square_avg_);
    if (options_.momentum != 0) momentum_buffer_ = at::zeros_like(square_avg_);
  }

  double learning_rate() const override { return options_.lr; }

  void step(double learning_rate) override {
    Tensor gradient = parameters_.gradients();
    if (options_.weight_decay != 0) {
      gradient = gradient.add(parameters_.values(), options_.weight_decay);
    }
    const Tensor divisor = deviation(gradient).add_(options_.eps);
    if (options_.momentum == 0) {
      parameters_.values().addcdiv_(gradient, divisor, -learning_rate);
    } else {
      momentum_buffer_.mul_(options_.momentum).addcdiv_(gradient, divisor);
      parameters_.values().add_(momentum_buffer_, -learning_rate);
    }
  }

  std::map<std::string, Tensor> slots() override {
    std::map<std::string, Tensor> out = {{"square_avg", square_avg_}};
    if (options_.centered) out["grad_avg"] = grad_avg_;
    if (options_.momentum != 0) out["momentum_buffer"] = momentum_buffer_;
    return out;
  }

 private:
  Tensor deviation(const Tensor& gradient) {
    square_avg_.mul_(options_.alpha).addcmul_(gradient, gradient, 1 - options_.alpha);
    if (!options_.centered) return square_avg_.sqrt();
    grad_avg_.lerp_(gradient, 1 - options_.alpha);
    return square_avg_.addcmul(grad_avg_, grad_avg_, -1).sqrt_();
  }

  Options options_;
  FlatParameters& parameters_;
  Tensor square_avg_, grad_avg_, momentum_buffer_;
};

VITRINE_REGISTER(Optimizer, RmsProp, Options, "steps divided by the running size of the gradient")

}  // namespace
}  // namespace vitrine
