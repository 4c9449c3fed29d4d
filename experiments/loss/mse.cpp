#include <ATen/ops/mse_loss.h>
#include <ATen/ops/one_hot.h>

#include "framework/registry/register.h"
#include "framework/training/loss.h"

namespace vitrine {
namespace {

class MeanSquaredError : public Loss {
 public:
  MeanSquaredError(const NoOptions&, const LossContext&) {}

  Tensor forward(const Tensor& output, const Tensor& target, const Task& task) override {
    return at::mse_loss(output, at::one_hot(target, task.classes()).to(output.scalar_type()));
  }

  std::string unit() const override { return ""; }
};

VITRINE_REGISTER(
    Loss, MeanSquaredError, NoOptions,
    "mean squared error of the outputs against 1 for the right class, 0 for the others")

}  // namespace
}  // namespace vitrine
