#include <ATen/ops/one_hot.h>

#include "framework/training/value.h"

namespace vitrine {
namespace {

Tensor form(const TorchCall& call) {
  return at::one_hot(call.inputs[0].to(at::kLong).squeeze(2), call.count(0)).to(at::kFloat);
}

VITRINE_TORCH_FORM(one_hot, form)

}  // namespace
}  // namespace vitrine
