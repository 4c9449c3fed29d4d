#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue grouped_linear_onnx(const OnnxCall& call) {
  OnnxGraph& graph = call.graph;
  const int64_t groups = call.count(0), in = call.columns(0) / groups;
  const auto count = static_cast<ptrdiff_t>(call.parameters.size() / 2);
  const int64_t maps = count / groups, out = call.size(0, 0);
  const auto first = call.parameters.begin();
  // [G, in, M * out] of weights, which lie map by map, and [G, 1, M * out] of biases.
  const OnnxValue weights = graph.reshape(
      graph.transpose(graph.reshape(graph.join({first, first + count}, 0), {maps, groups, out, in}),
                      {1, 3, 0, 2}),
      {groups, in, maps * out});
  const OnnxValue biases = graph.reshape(
      graph.transpose(
          graph.reshape(graph.join({first + count, call.parameters.end()}, 0), {maps, groups, out}),
          {1, 0, 2}),
      {groups, 1, maps * out});
  const OnnxValue by_group =
      graph.transpose(graph.reshape(call.inputs[0], {0, call.tokens(), groups, in}), {0, 2, 1, 3});
  const OnnxValue mapped =
      graph.add("Add", {graph.add("MatMul", {by_group, weights}), biases});  // [B, G, n, M * out]
  const OnnxValue apart = graph.reshape(mapped, {0, groups, call.tokens(), maps, out});
  return graph.reshape(graph.transpose(apart, {0, 2, 3, 1, 4}), {0, call.tokens(), call.columns()});
}

VITRINE_ONNX_FORM(grouped_linear, grouped_linear_onnx)

}  // namespace
}  // namespace vitrine
