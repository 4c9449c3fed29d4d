#include <ATen/ops/add.h>

#include "framework/training/value.h"

namespace vitrine {
namespace {

Tensor form(const TorchCall& call) { return call.inputs[0] + call.inputs[1]; }

VITRINE_TORCH_FORM(add, form)

}  // namespace
}  // namespace vitrine
