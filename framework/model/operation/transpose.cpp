#include <ATen/ops/transpose.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor transpose_form(const TorchCall& call) { return call.inputs[0].transpose(1, 2); }

VITRINE_TORCH_FORM(transpose, transpose_form)

}  // namespace
}  // namespace vitrine
