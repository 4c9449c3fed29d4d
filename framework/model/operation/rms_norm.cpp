#include <ATen/ops/rms_norm.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor rms_norm_form(const TorchCall& call) {
  const int64_t parts = call.count(1);
  const auto& weight = call.parameters[0];
  const auto norm = [&](const Tensor& x) {
    return at::rms_norm(x, weight.sizes(), weight, call.numbers[0]);
  };
  if (parts == 1) return norm(call.inputs[0]);
  return norm(call.inputs[0].unflatten(2, {parts, weight.size(0)})).flatten(2);
}

VITRINE_TORCH_FORM(rms_norm, rms_norm_form)

}  // namespace
}  // namespace vitrine
