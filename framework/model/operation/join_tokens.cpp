#include <ATen/ops/cat.h>

#include <algorithm>

#include "framework/model/value.h"

namespace vitrine {
namespace {

// What is the same for every image is repeated.
Tensor join_tokens_form(const TorchCall& call) {
  int64_t images = 1;
  for (const Tensor& input : call.inputs) {
    if (input.size(0) != 1) images = input.size(0);
  }
  std::vector<Tensor> parts;
  for (const Tensor& input : call.inputs) parts.push_back(input.expand({images, -1, -1}));
  return at::cat(parts, 1);
}

VITRINE_TORCH_FORM(join_tokens, join_tokens_form)

}  // namespace
}  // namespace vitrine
