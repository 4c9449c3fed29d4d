#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>

#include <cmath>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor attention_probabilities_form(const TorchCall& call) {
  const int64_t heads = call.count(0), width = call.inputs[0].size(2) / heads;
  const auto by_head = [&](const Tensor& x) {
    return x.unflatten(2, {heads, width}).transpose(1, 2);
  };
  const Tensor scores =
      at::matmul(by_head(call.inputs[0]), by_head(call.inputs[1]).transpose(2, 3));
  return at::softmax(scores / std::sqrt(static_cast<double>(width)), -1).flatten(1, 2).detach();
}

VITRINE_TORCH_FORM(attention_probabilities, attention_probabilities_form)

}  // namespace
}  // namespace vitrine
