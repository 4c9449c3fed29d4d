#include "models/plot/attention/maps.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include "framework/error.h"

namespace vitrine {
namespace {

// What a task's output reads of each token [N]; nothing of those that the pooling is not given.
Tensor shares_of(Model& model, const Tensor& input, int64_t task, int64_t n_tokens,
                 int64_t n_patches) {
  const auto found = named_values(model, input, "pooling.shares");
  if (found.empty())
    throw Error(ExitCode::kUsage, "the model's pooling tells no shares of the tokens");
  const Tensor shares = found[0].second[0][task];
  const int64_t others = shares.size(0) - n_patches;
  return at::cat({shares.narrow(0, 0, others), at::zeros({n_tokens - shares.size(0)}),
                  shares.narrow(0, others, n_patches)});
}

}  // namespace

Tensor attention_rollout(const std::vector<Tensor>& attention) {
  std::vector<Tensor> out;
  for (const Tensor& heads : attention) {
    const Tensor mixed = (heads.mean(0) + at::eye(heads.size(-1), heads.options())) / 2;
    out.push_back(out.empty() ? mixed : at::matmul(mixed, out.back()));
  }
  return at::stack(out);
}

AttentionMaps attention_maps(Model& model, const Tensor& input, int64_t task,
                             const Patching& patching) {
  std::vector<Tensor> attention;  // of each block [heads, N, N]
  for (const auto& [name, value] : named_values(model, input, "attention.probabilities"))
    attention.push_back(value[0].unflatten(0, {-1, value.size(2)}));
  if (attention.empty())
    throw Error(ExitCode::kUsage, "the model has no attention that could be shown");
  const int64_t n_tokens = attention[0].size(-1), n_patches = patching.count();
  const Tensor shares = shares_of(model, input, task, n_tokens, n_patches);
  const auto map = [&](const Tensor& rows) {  // [..., N, N] -> [..., rows, columns]
    return at::matmul(shares, rows)
        .narrow(-1, n_tokens - n_patches, n_patches)
        .unflatten(-1, {patching.rows, patching.columns});
  };
  return {map(at::stack(attention)), map(attention_rollout(attention))};
}

}  // namespace vitrine
