#include <ATen/ops/baddbmm.h>
#include <ATen/ops/block_diag.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/stack.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

constexpr int64_t kNarrow = 64;  // columns

// One matrix of blocks: products with its zeros cost less than what follows from columns that lie
// apart.
Tensor as_one_matrix(const TorchCall& call, int64_t groups, int64_t count) {
  const auto first = call.parameters.begin();
  std::vector<Tensor> maps;
  for (int64_t i = 0; i < count; i += groups)
    maps.push_back(at::block_diag(std::vector<Tensor>(first + i, first + i + groups)));
  const Tensor bias = at::cat(std::vector<Tensor>(first + count, call.parameters.end()));
  return at::linear(call.inputs[0], at::cat(maps), bias);
}

// In one product of a matrix a group, which holds all its maps.
Tensor by_groups(const TorchCall& call, int64_t groups, int64_t count) {
  const Tensor& x = call.inputs[0];
  const int64_t maps = count / groups;
  const auto first = call.parameters.begin();
  const auto by_group = [&](const std::vector<Tensor>& parts) {  // [G, maps * out, ...]
    return at::stack(parts).unflatten(0, {maps, groups}).transpose(0, 1).flatten(1, 2);
  };
  const Tensor weights = by_group({first, first + count});
  const Tensor biases = by_group({first + count, call.parameters.end()});
  const Tensor rows = x.reshape({-1, groups, weights.size(2)}).transpose(0, 1);
  const Tensor mapped = at::baddbmm(biases.unsqueeze(1), rows, weights.transpose(1, 2));
  return mapped
      .unflatten(2, {maps, -1})  // [G, B * n, maps, out]
      .permute({1, 2, 0, 3})
      .reshape({x.size(0), x.size(1), mapped.size(2) * groups});
}

Tensor grouped_linear_form(const TorchCall& call) {
  const int64_t groups = call.count(0);
  const auto count = static_cast<int64_t>(call.parameters.size() / 2);
  return call.inputs[0].size(2) <= kNarrow ? as_one_matrix(call, groups, count)
                                           : by_groups(call, groups, count);
}

VITRINE_TORCH_FORM(grouped_linear, grouped_linear_form)

}  // namespace
}  // namespace vitrine
