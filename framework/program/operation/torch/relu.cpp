#include <ATen/ops/relu.h>

#include "framework/training/value.h"

namespace vitrine {
namespace {

Tensor form(const TorchCall& call) { return at::relu(call.inputs[0]); }

VITRINE_TORCH_FORM(relu, form)

}  // namespace
}  // namespace vitrine
