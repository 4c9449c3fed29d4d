#include "framework/onnx/attention.h"

#include <cmath>

namespace vitrine {

OnnxValue of_each_head(const OnnxCall& call, size_t input, int64_t heads,
                       const OnnxGraph::Sizes& order) {
  const int64_t width = call.columns(input) / heads;
  return call.graph.transpose(
      call.graph.reshape(call.inputs[input], {0, call.tokens(input), heads, width}), order);
}

OnnxValue attention_scores(const OnnxCall& call, int64_t heads) {
  OnnxGraph& graph = call.graph;
  const double width = static_cast<double>(call.columns(0) / heads);
  const OnnxValue products = graph.add("MatMul", {of_each_head(call, 0, heads, {0, 2, 1, 3}),
                                                  of_each_head(call, 1, heads, {0, 2, 3, 1})});
  return graph.add("Mul", {products, graph.number(1 / std::sqrt(width))});
}

}  // namespace vitrine
