#include <ATen/ops/ones.h>

#include "framework/model/loss.h"
#include "framework/model/part.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

// A loss says which types of tasks it suits in `types`; classification alone, unless told.
struct Options : LossOptions {
  double epsilon = 1;

  void visit(Fields& field) {
    LossOptions::visit(field);
    field("epsilon", epsilon, "weight of 1 - p; 0 is cross_entropy", at_least(0));
  }
};

// -log(p) + epsilon (1 - p) of the probability p of the target: Poly-1 of Leng et al. 2022,
// "PolyLoss: A Polynomial Expansion Perspective of Classification Loss Functions".
class ExampleLoss : public Loss {
 public:
  ExampleLoss(const Options& options, const LossContext&) : epsilon_(options.epsilon) {}

  // Of one image: outputs [1, K]; the target is a class's number [1, 1], or shares of all classes
  // [1, K], which of_target tells apart.
  Value forward(const Value& output, const Value& target, const Task& task) override {
    const Value logs = log_probabilities(output, task);
    const Value rest = table(one_.on(output)) - exp(logs);
    return of_target(logs * -1 + rest * epsilon_, target);
  }

 private:
  double epsilon_;
  FixedTable one_{at::ones({1})};  // a constant that operations can use
};

VITRINE_REGISTER(Loss, ExampleLoss, Options, "cross-entropy and the probability that is missing")

}  // namespace
}  // namespace vitrine
