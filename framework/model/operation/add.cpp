#include <ATen/ops/add.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor add_form(const TorchCall& call) { return call.inputs[0] + call.inputs[1]; }

VITRINE_TORCH_FORM(add, add_form)

}  // namespace
}  // namespace vitrine
