#include <ATen/ops/mul.h>

#include "framework/training/value.h"

namespace vitrine {
namespace {

Tensor form(const TorchCall& call) { return call.inputs[0] * call.numbers[0]; }

VITRINE_TORCH_FORM(scale, form)

}  // namespace
}  // namespace vitrine
