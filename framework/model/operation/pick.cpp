#include <ATen/ops/gather.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor pick_form(const TorchCall& call) {
  const Tensor& x = call.inputs[0];
  return at::gather(x, 2, call.inputs[1].to(at::kLong).expand({x.size(0), -1, 1}));
}

VITRINE_TORCH_FORM(pick, pick_form)

}  // namespace
}  // namespace vitrine
