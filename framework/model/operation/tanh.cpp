#include <ATen/ops/tanh.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor tanh_form(const TorchCall& call) { return at::tanh(call.inputs[0]); }

VITRINE_TORCH_FORM(tanh, tanh_form)

}  // namespace
}  // namespace vitrine
