#pragma once

#include "framework/onnx/form.h"

namespace vitrine {

// An input [.., n, columns] by heads: [.., n, heads, width], then in another order.
OnnxValue of_each_head(const OnnxCall& call, size_t input, int64_t heads,
                       const OnnxGraph::Sizes& order);
// q k^T / sqrt(width) of the first two inputs: [batch or 1, heads, n, tokens].
OnnxValue attention_scores(const OnnxCall& call, int64_t heads);

}  // namespace vitrine
