#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue rotate_onnx(const OnnxCall& call) {
  OnnxGraph& graph = call.graph;
  const int64_t heads = call.count(0), half = call.size(0, call.applied.parameters[0].size() - 1);
  const auto angles = [&](size_t parameter) {  // [1, n, half]
    const OnnxValue rows = graph.reshape(call.parameters[parameter], {1, -1, half});
    return graph.slice(rows, 1, call.count(1), call.tokens());
  };
  const OnnxValue &x = call.inputs[0], cosines = angles(0), sines = angles(1);
  if (graph.opset() >= 23) {
    return graph.add("RotaryEmbedding", graph.of_each_image_where_one_is({x, cosines, sines}),
                     {{"num_heads", heads}});
  }
  const OnnxValue points = graph.reshape(x, {0, call.tokens(), heads, 2 * half});
  const OnnxValue a = graph.slice(points, 3, 0, half), b = graph.slice(points, 3, half, half);
  const auto times = [&](const OnnxValue& numbers, const OnnxValue& by) {
    return graph.add("Mul", {numbers, graph.reshape(by, {1, call.tokens(), 1, half})});
  };
  const OnnxValue turned = graph.join({graph.add("Sub", {times(a, cosines), times(b, sines)}),
                                       graph.add("Add", {times(b, cosines), times(a, sines)})},
                                      3);
  return graph.reshape(turned, {0, call.tokens(), call.columns()});
}

VITRINE_ONNX_FORM(rotate, rotate_onnx)

}  // namespace
}  // namespace vitrine
