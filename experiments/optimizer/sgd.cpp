#include "framework/registry/register.h"
#include "framework/training/optimizer.h"

namespace vitrine {
namespace {

struct Options : OptimizerOptions {
  double momentum = 0;
  double dampening = 0;
  bool nesterov = false;

  Options() : OptimizerOptions(0.001, WeightDecay::kL2) {}
  void visit(Fields& field) {
    OptimizerOptions::visit(field);
    field("momentum", momentum, "how much of the last step's direction is kept", at_least(0));
    field("dampening", dampening, "part of the gradient that momentum leaves out", at_least(0));
    field("nesterov", nesterov, "look ahead along the momentum");
  }
  using OptimizerOptions::check;
  void check(Check& check) const {
    OptimizerOptions::check(check);
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
      : Optimizer(options, context), options_(options) {
    if (options_.momentum == 0) return;
    momentum_buffer_ = add_slot("momentum_buffer");
    count_steps(device());
  }

 protected:
  void update(const Group& group, double learning_rate) override {
    std::vector<Tensor> directions;
    for (size_t i = 0; i < group.values.size(); ++i) {
      Tensor direction = group.gradients[i];
      if (group.weight_decay != 0) direction = direction.add(group.values[i], group.weight_decay);
      if (options_.momentum != 0)
        direction = with_momentum(direction, group, momentum_buffer_[group.index][i]);
      directions.push_back(std::move(direction));
    }
    descend(group, directions, learning_rate);
  }

 private:
  Tensor with_momentum(const Tensor& gradient, const Group& group, Tensor& buffer) const {
    buffer.mul_(options_.momentum).add_(damped(gradient, group));
    return options_.nesterov ? gradient.add(buffer, options_.momentum) : buffer;
  }

  // What enters the momentum: the first gradient whole, whatever the dampening.
  Tensor damped(const Tensor& gradient, const Group& group) const {
    if (options_.dampening == 0) return gradient;
    return gradient * (1 - options_.dampening * group.steps.gt(1)).squeeze();
  }

  Options options_;
  Views momentum_buffer_;
};

VITRINE_REGISTER(Optimizer, Sgd, Options, "gradient descent with momentum")

}  // namespace
}  // namespace vitrine
