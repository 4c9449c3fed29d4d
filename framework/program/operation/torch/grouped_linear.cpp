#include <ATen/ops/baddbmm.h>
#include <ATen/ops/stack.h>

#include "framework/training/value.h"

namespace vitrine {
namespace {

// In one product of a matrix a group.
Tensor form(const TorchCall& call) {
  const Tensor& x = call.inputs[0];
  const auto groups = static_cast<int64_t>(call.parameters.size() / 2);
  const auto first = call.parameters.begin();
  const Tensor weights = at::stack(std::vector<Tensor>(first, first + groups));  // [G, out, in]
  const Tensor biases = at::stack(std::vector<Tensor>(first + groups, call.parameters.end()));
  const Tensor rows = x.reshape({-1, groups, weights.size(2)}).transpose(0, 1);
  return at::baddbmm(biases.unsqueeze(1), rows, weights.transpose(1, 2))  // [G, B * n, out]
      .transpose(0, 1)
      .reshape({x.size(0), x.size(1), groups * weights.size(1)});
}

VITRINE_TORCH_FORM(grouped_linear, form)

}  // namespace
}  // namespace vitrine
