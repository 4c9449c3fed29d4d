#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue rms_normed(const OnnxCall& call, const OnnxValue& x) {
  OnnxGraph& graph = call.graph;
  const double eps = call.applied.numbers[0];
  if (graph.opset() >= 23) {
    return graph.add("RMSNormalization", {x, call.parameters[0]},
                     {{"axis", int64_t{-1}}, {"epsilon", static_cast<float>(eps)}});
  }
  const OnnxValue square = graph.mean(graph.add("Mul", {x, x}), -1);
  const OnnxValue root = graph.add("Sqrt", {graph.add("Add", {square, graph.number(eps)})});
  return graph.add("Mul", {graph.add("Div", {x, root}), call.parameters[0]});
}

OnnxValue rms_norm_onnx(const OnnxCall& call) {
  // Each part of the columns by itself.
  OnnxGraph& graph = call.graph;
  const int64_t parts = call.count(1), width = call.columns() / parts;
  if (parts == 1) return rms_normed(call, call.inputs[0]);
  const OnnxValue x = graph.reshape(call.inputs[0], {0, call.tokens(), parts, width});
  return graph.reshape(rms_normed(call, x), {0, call.tokens(), call.columns()});
}

VITRINE_ONNX_FORM(rms_norm, rms_norm_onnx)

}  // namespace
}  // namespace vitrine
