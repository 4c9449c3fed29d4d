#include <ATen/ops/linear.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor linear_form(const TorchCall& call) {
  const Tensor& weight = call.parameters[0];
  return at::linear(call.inputs[0], weight.dim() == 2 ? weight : weight.flatten(1),
                    call.parameters[1]);
}

VITRINE_TORCH_FORM(linear, linear_form)

}  // namespace
}  // namespace vitrine
