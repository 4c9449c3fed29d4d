#include <ATen/ops/sigmoid.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor sigmoid_form(const TorchCall& call) { return at::sigmoid(call.inputs[0]); }

VITRINE_TORCH_FORM(sigmoid, sigmoid_form)

}  // namespace
}  // namespace vitrine
