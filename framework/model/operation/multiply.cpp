#include <ATen/ops/mul.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor multiply_form(const TorchCall& call) { return call.inputs[0] * call.inputs[1]; }

VITRINE_TORCH_FORM(multiply, multiply_form)

}  // namespace
}  // namespace vitrine
