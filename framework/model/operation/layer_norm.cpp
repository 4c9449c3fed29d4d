#include <ATen/ops/layer_norm.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor layer_norm_form(const TorchCall& call) {
  const int64_t parts = call.count(1);
  const auto &weight = call.parameters[0], &bias = call.parameters[1];
  const auto norm = [&](const Tensor& x) {
    return at::layer_norm(x, weight.sizes(), weight, bias, call.numbers[0]);
  };
  if (parts == 1) return norm(call.inputs[0]);
  return norm(call.inputs[0].unflatten(2, {parts, weight.size(0)})).flatten(2);
}

VITRINE_TORCH_FORM(layer_norm, layer_norm_form)

}  // namespace
}  // namespace vitrine
