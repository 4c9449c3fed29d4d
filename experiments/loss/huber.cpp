#include <ATen/ops/full.h>

#include "framework/model/loss.h"
#include "framework/model/part.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options : LossOptions {
  double delta = 1;

  Options() { types = {TaskType::kRegression}; }
  void visit(Fields& field) {
    field("delta", delta, "error from which on the loss rises linearly", above(0)).words({"beta"});
  }
};

// Huber 1964, "Robust Estimation of a Location Parameter": half the square of an error up to delta,
// delta * (error - delta / 2) beyond.
class Huber : public Loss {
 public:
  Huber(const Options& options, const LossContext&)
      : delta_(options.delta), minus_delta_(at::full({1}, -options.delta, at::kFloat)) {}

  Value forward(const Value& output, const Value& target, const Task&) override {
    const Value error = output - target, size = relu(error) + relu(error * -1);
    const Value beyond = maximum(size, delta_) + table(minus_delta_.on(output));
    return mean_over_columns(square(size - beyond) * 0.5 + beyond * delta_);
  }

  std::string unit() const override { return ""; }

 private:
  double delta_;
  FixedTable minus_delta_;
};

VITRINE_REGISTER(Loss, Huber, Options,
                 "squared error of values that are nearly right, absolute error of others")

}  // namespace
}  // namespace vitrine
