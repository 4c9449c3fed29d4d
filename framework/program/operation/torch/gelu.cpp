#include <ATen/ops/gelu.h>

#include "framework/training/value.h"

namespace vitrine {
namespace {

Tensor form(const TorchCall& call) { return at::gelu(call.inputs[0]); }

VITRINE_TORCH_FORM(gelu, form)

}  // namespace
}  // namespace vitrine
