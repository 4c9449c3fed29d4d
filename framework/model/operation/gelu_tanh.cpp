#include <ATen/ops/gelu.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor gelu_tanh_form(const TorchCall& call) { return at::gelu(call.inputs[0], "tanh"); }

VITRINE_TORCH_FORM(gelu_tanh, gelu_tanh_form)

}  // namespace
}  // namespace vitrine
