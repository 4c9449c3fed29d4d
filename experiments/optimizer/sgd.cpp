#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "framework/registry/register.h"
#include "framework/training/optimizer.h"

namespace vitrine {
namespace {

struct Options {
  double lr = 0.001;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;

  void visit(Fields& field) {
    field("lr", lr, "learning rate", at_least(0)).words({"learning_rate", "step_size"});
    field("momentum", momentum, "how much of the last step's direction is kept", at_least(0));
    field("dampening", dampening, "part of the gradient that momentum leaves out", at_least(0));
    field("weight_decay", weight_decay, "factor of the weights that is added to the gradients",
          at_least(0))
        .words({"wd", "decay", "l2"});
    field("nesterov", nesterov, "look ahead along the momentum");
  }
  void check(const OptimizerContext&, Check& check) const {
    if (nesterov && momentum == 0) {
      check.error({"nesterov", "momentum"}, "nesterov needs a momentum above 0");
    } else if (momentum == 0 && dampening != 0) {
      check.no_effect("dampening", "momentum is 0");
    }
    if (nesterov && dampening != 0) {
      check.error({"nesterov", "dampening"}, "nesterov needs a dampening of 0");
    }
  }
};

// As PyTorch has it (Sutskever et al., 2013, with the learning rate outside the momentum).
class Sgd : public Optimizer {
 public:
  Sgd(const Options& options, const OptimizerContext& context)
      : options_(options), parameters_(*context.parameters) {
    if (options_.momentum == 0) return;
    momentum_buffer_ = at::zeros_like(parameters_.values());
    step_ = at::zeros({1});
  }

  double learning_rate() const override { return options_.lr; }

  void step(double learning_rate) override {
    Tensor direction = parameters_.gradients();
    if (options_.weight_decay != 0) {
      direction = direction.add(parameters_.values(), options_.weight_decay);
    }
    if (options_.momentum != 0) direction = with_momentum(direction);
    parameters_.values().add_(direction, -learning_rate);
  }

  std::map<std::string, Tensor> slots() override {
    if (options_.momentum == 0) return {};
    return {{"momentum_buffer", momentum_buffer_}, {"step", step_}};
  }

 private:
  Tensor with_momentum(const Tensor& gradient) {
    // The first gradient enters whole, whatever the dampening.
    const double share = step_.item<float>() == 0 ? 1 : 1 - options_.dampening;
    step_.add_(1);
    momentum_buffer_.mul_(options_.momentum).add_(gradient, share);
    return options_.nesterov ? gradient.add(momentum_buffer_, options_.momentum) : momentum_buffer_;
  }

  Options options_;
  FlatParameters& parameters_;
  Tensor momentum_buffer_, step_;
};

VITRINE_REGISTER(Optimizer, Sgd, Options, "gradient descent with momentum")

}  // namespace
}  // namespace vitrine
