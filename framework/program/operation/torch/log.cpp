#include <ATen/ops/log.h>

#include "framework/training/value.h"

namespace vitrine {
namespace {

Tensor form(const TorchCall& call) { return at::log(call.inputs[0]); }

VITRINE_TORCH_FORM(log, form)

}  // namespace
}  // namespace vitrine
