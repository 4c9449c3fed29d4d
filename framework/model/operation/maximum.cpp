#include <ATen/ops/clamp_min.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor maximum_form(const TorchCall& call) {
  return at::clamp_min(call.inputs[0], call.numbers[0]);
}

VITRINE_TORCH_FORM(maximum, maximum_form)

}  // namespace
}  // namespace vitrine
