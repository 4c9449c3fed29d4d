#include <ATen/ops/mean.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor mean_over_tokens_form(const TorchCall& call) { return call.inputs[0].mean(1, true); }

VITRINE_TORCH_FORM(mean_over_tokens, mean_over_tokens_form)

}  // namespace
}  // namespace vitrine
