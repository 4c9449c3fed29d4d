#include <ATen/ops/sigmoid.h>

#include "framework/training/value.h"

namespace vitrine {
namespace {

Tensor form(const TorchCall& call) { return at::sigmoid(call.inputs[0]); }

VITRINE_TORCH_FORM(sigmoid, form)

}  // namespace
}  // namespace vitrine
