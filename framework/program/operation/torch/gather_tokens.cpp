#include <ATen/ops/gather.h>

#include "framework/training/value.h"

namespace vitrine {
namespace {

Tensor gather_tokens_form(const TorchCall& call) {
  const Tensor& x = call.inputs[0];
  const Tensor numbers = call.inputs[1].to(at::kLong).expand({x.size(0), -1, x.size(2)});
  return at::gather(x, 1, numbers);
}

VITRINE_TORCH_FORM(gather_tokens, gather_tokens_form)

}  // namespace
}  // namespace vitrine
