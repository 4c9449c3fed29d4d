#include <ATen/ops/one_hot.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor one_hot_form(const TorchCall& call) {
  return at::one_hot(call.inputs[0].to(at::kLong).squeeze(2), call.count(0)).to(at::kFloat);
}

VITRINE_TORCH_FORM(one_hot, one_hot_form)

}  // namespace
}  // namespace vitrine
