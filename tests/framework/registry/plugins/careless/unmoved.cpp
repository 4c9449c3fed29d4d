#include "framework/registry/register.h"
#include "framework/training/optimizer.h"

// Assigns to its own copies, or changes the gradients.
namespace vitrine {
namespace {

struct Options : OptimizerOptions {
  bool scales_gradients = false, replaces = false;

  Options() : OptimizerOptions(1e-2, WeightDecay::kDecoupled) {}
  void visit(Fields& field) {
    OptimizerOptions::visit(field);
    field("scales_gradients", scales_gradients, "whether it changes the gradients");
    field("replaces", replaces, "whether it gives values another place");
  }
};

class Unmoved : public Optimizer {
 public:
  Unmoved(const Options& options, const OptimizerContext& context)
      : Optimizer(options, context),
        scales_gradients_(options.scales_gradients),
        replaces_(options.replaces) {}

 protected:
  void update(const Group& group, double learning_rate) override {
    for (size_t i = 0; i < group.values.size(); ++i) {
      Tensor values = group.values[i];
      if (scales_gradients_) {
        values.sub_(Tensor(group.gradients[i]).mul_(0.5), learning_rate);
      } else if (replaces_) {
        values.set_data(values - group.gradients[i] * learning_rate);
      } else {
        values = values - group.gradients[i] * learning_rate;
      }
    }
  }

 private:
  bool scales_gradients_, replaces_;
};

VITRINE_REGISTER(Optimizer, Unmoved, Options, "moves nothing, or too much")

}  // namespace
}  // namespace vitrine
