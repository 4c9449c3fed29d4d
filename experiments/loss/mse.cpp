#include "framework/model/loss.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

class MeanSquaredError : public Loss {
 public:
  MeanSquaredError(const NoOptions&, const LossContext&) {}

  Value forward(const Value& output, const Value& target, const Task& task) override {
    return mean_over_columns(square(output - one_hot(target, task.classes())));
  }

  std::string unit() const override { return ""; }
};

VITRINE_REGISTER(
    Loss, MeanSquaredError, NoOptions,
    "mean squared error of the outputs against 1 for the right class, 0 for the others")

}  // namespace
}  // namespace vitrine
