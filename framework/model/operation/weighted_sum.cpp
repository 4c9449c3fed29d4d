#include <ATen/ops/matmul.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor weighted_sum_form(const TorchCall& call) {
  return at::matmul(call.inputs[0], call.inputs[1]);
}

VITRINE_TORCH_FORM(weighted_sum, weighted_sum_form)

}  // namespace
}  // namespace vitrine
