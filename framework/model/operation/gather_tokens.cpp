#include <ATen/ops/gather.h>

#include <algorithm>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor gather_tokens_form(const TorchCall& call) {
  // Either may be the same for all images.
  const int64_t images = std::max(call.inputs[0].size(0), call.inputs[1].size(0));
  const Tensor x = call.inputs[0].expand({images, -1, -1});
  return at::gather(x, 1, call.inputs[1].to(at::kLong).expand({images, -1, x.size(2)}));
}

VITRINE_TORCH_FORM(gather_tokens, gather_tokens_form)

}  // namespace
}  // namespace vitrine
