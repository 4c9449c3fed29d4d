#include <ATen/ops/exp.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor exp_form(const TorchCall& call) { return at::exp(call.inputs[0]); }

VITRINE_TORCH_FORM(exp, exp_form)

}  // namespace
}  // namespace vitrine
