#include <ATen/ops/relu.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor relu_form(const TorchCall& call) { return at::relu(call.inputs[0]); }

VITRINE_TORCH_FORM(relu, relu_form)

}  // namespace
}  // namespace vitrine
