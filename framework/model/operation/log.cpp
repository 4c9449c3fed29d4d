#include <ATen/ops/log.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor log_form(const TorchCall& call) { return at::log(call.inputs[0]); }

VITRINE_TORCH_FORM(log, log_form)

}  // namespace
}  // namespace vitrine
