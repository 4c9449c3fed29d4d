#include <ATen/ops/mul.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor scale_form(const TorchCall& call) { return call.inputs[0] * call.numbers[0]; }

VITRINE_TORCH_FORM(scale, scale_form)

}  // namespace
}  // namespace vitrine
