#include <ATen/ops/silu.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor silu_form(const TorchCall& call) { return at::silu(call.inputs[0]); }

VITRINE_TORCH_FORM(silu, silu_form)

}  // namespace
}  // namespace vitrine
