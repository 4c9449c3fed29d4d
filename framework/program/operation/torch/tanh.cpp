#include <ATen/ops/tanh.h>

#include "framework/training/value.h"

namespace vitrine {
namespace {

Tensor form(const TorchCall& call) { return at::tanh(call.inputs[0]); }

VITRINE_TORCH_FORM(tanh, form)

}  // namespace
}  // namespace vitrine
