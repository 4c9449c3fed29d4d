#include "framework/model/loss.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options : LossOptions {
  Options() { types.push_back(TaskType::kRegression); }
};

class MeanSquaredError : public Loss {
 public:
  MeanSquaredError(const Options&, const LossContext&) {}

  Value forward(const Value& output, const Value& target, const Task& task) override {
    const bool is_class = task.type == TaskType::kClassification && target.columns() == 1;
    const Value wanted = is_class ? one_hot(target, task.outputs()) : target;
    return mean_over_columns(square(output - wanted));
  }

  std::string unit() const override { return ""; }
};

VITRINE_REGISTER(Loss, MeanSquaredError, Options,
                 "mean squared error of values; of classes that of the outputs against 1 for the "
                 "right one, 0 for the others")

}  // namespace
}  // namespace vitrine
