#include <ATen/ops/square.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor square_form(const TorchCall& call) { return at::square(call.inputs[0]); }

VITRINE_TORCH_FORM(square, square_form)

}  // namespace
}  // namespace vitrine
