#include <ATen/ops/zeros.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor one_hot_form(const TorchCall& call) {
  // at::one_hot would wait for the device to look at the numbers.
  const Tensor classes = call.inputs[0].to(at::kLong);
  const auto floats = classes.options().dtype(at::kFloat);
  return at::zeros({classes.size(0), classes.size(1), call.count(0)}, floats)
      .scatter_(2, classes, 1);
}

VITRINE_TORCH_FORM(one_hot, one_hot_form)

}  // namespace
}  // namespace vitrine
