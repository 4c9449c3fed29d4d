#include "models/plot/attention/maps.h"

#include <fmt/format.h>

namespace vitrine {
namespace {

struct Flow {
  std::vector<Tensor> attention;  // of each block [heads, N, N]
  Tensor tokens;                  // [1, N, D], as pooling reads them
};

Flow flow_of(const Parts& parts, const Tensor& input) {
  Flow out;
  Tensor x = parts.with_positions(parts.with_tokens(parts.embedding->forward(to_float(input))));
  for (Block* block : parts.blocks) {
    const Tensor probabilities = block->attention_probabilities(x);
    if (!probabilities.defined())
      throw Error(ExitCode::kUsage, fmt::format("block {} of the model gives no attention to show",
                                                out.attention.size()));
    out.attention.push_back(probabilities[0]);
    x = block->forward(x, x.size(1));
  }
  out.tokens = parts.final_norm ? parts.final_norm->forward(x) : x;
  return out;
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

AttentionMaps attention_maps(const Composed& model, const Tensor& input, int64_t task) {
  const PartContext& geometry = model.geometry();
  const Flow flow = flow_of(model.parts(), input);
  const int64_t needed = model.parts().pooling->needed_tokens(flow.tokens.size(1));
  const Tensor shares =  // [needed]
      model.parts().pooling->shares(flow.tokens.narrow(1, 0, needed))[0][task];
  const auto map = [&](const Tensor& rows) {  // [..., N, N] -> [..., rows, columns]
    return at::matmul(shares, rows.narrow(-2, 0, needed))
        .narrow(-1, geometry.special_tokens, geometry.rows * geometry.columns)
        .unflatten(-1, {geometry.rows, geometry.columns});
  };
  return {map(at::stack(flow.attention)), map(attention_rollout(flow.attention))};
}

}  // namespace vitrine
