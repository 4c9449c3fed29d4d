#include <ATen/ops/gelu.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor gelu_form(const TorchCall& call) { return at::gelu(call.inputs[0]); }

VITRINE_TORCH_FORM(gelu, gelu_form)

}  // namespace
}  // namespace vitrine
