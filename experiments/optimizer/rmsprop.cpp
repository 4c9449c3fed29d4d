#include "framework/registry/register.h"
#include "framework/training/optimizer.h"

namespace vitrine {
namespace {

struct Options : OptimizerOptions {
  double alpha = 0.99;
  double eps = 1e-8;
  double momentum = 0;
  bool centered = false;

  Options() : OptimizerOptions(0.01, WeightDecay::kL2) {}
  void visit(Fields& field) {
    OptimizerOptions::visit(field);
    field("alpha", alpha, "decay of the running mean of the squared gradient", from_below(0, 1))
        .words({"rho"});
    field("eps", eps, "added to the denominator", above(0)).words({"epsilon"});
    field("momentum", momentum, "how much of the last step's direction is kept", at_least(0));
    field("centered", centered, "divide by the deviation from the mean gradient");
  }
};

// Tieleman and Hinton, Coursera lecture 6.5, 2012; centered: Graves, arXiv:1308.0850.
class RmsProp : public Optimizer {
 public:
  RmsProp(const Options& options, const OptimizerContext& context)
      : Optimizer(options, context), options_(options), square_avg_(add_slot("square_avg")) {
    if (options_.centered) grad_avg_ = add_slot("grad_avg");
    if (options_.momentum != 0) momentum_buffer_ = add_slot("momentum_buffer");
  }

 protected:
  void update(const Group& group, double learning_rate) override {
    std::vector<Tensor> directions;
    for (size_t i = 0; i < group.values.size(); ++i) {
      Tensor gradient = group.gradients[i];
      if (group.weight_decay != 0) gradient = gradient.add(group.values[i], group.weight_decay);
      const Tensor divisor = deviation(gradient, group.index, i).add_(options_.eps);
      if (options_.momentum == 0) {
        directions.push_back(gradient / divisor);
      } else {
        Tensor& buffer = momentum_buffer_[group.index][i];
        directions.push_back(buffer.mul_(options_.momentum).addcdiv_(gradient, divisor));
      }
    }
    descend(group, directions, learning_rate);
  }

 private:
  Tensor deviation(const Tensor& gradient, size_t group, size_t i) {
    Tensor& square = square_avg_[group][i];
    square.mul_(options_.alpha).addcmul_(gradient, gradient, 1 - options_.alpha);
    if (!options_.centered) return square.sqrt();
    Tensor& mean = grad_avg_[group][i];
    mean.lerp_(gradient, 1 - options_.alpha);
    return square.addcmul(mean, mean, -1).sqrt_();
  }

  Options options_;
  Views square_avg_, grad_avg_, momentum_buffer_;
};

VITRINE_REGISTER(Optimizer, RmsProp, Options, "steps divided by the running size of the gradient")

}  // namespace
}  // namespace vitrine
