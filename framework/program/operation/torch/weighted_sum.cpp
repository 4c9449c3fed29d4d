#include <ATen/ops/matmul.h>

#include "framework/training/value.h"

namespace vitrine {
namespace {

Tensor form(const TorchCall& call) { return at::matmul(call.inputs[0], call.inputs[1]); }

VITRINE_TORCH_FORM(weighted_sum, form)

}  // namespace
}  // namespace vitrine
