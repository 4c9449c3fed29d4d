#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue layer_normed(const OnnxCall& call, const OnnxValue& x) {
  return call.graph.add(
      "LayerNormalization", {x, call.parameters[0], call.parameters[1]},
      {{"axis", int64_t{-1}}, {"epsilon", static_cast<float>(call.applied.numbers[0])}});
}

OnnxValue layer_norm_onnx(const OnnxCall& call) {
  // Each part of the columns by itself.
  OnnxGraph& graph = call.graph;
  const int64_t parts = call.count(1), width = call.columns() / parts;
  if (parts == 1) return layer_normed(call, call.inputs[0]);
  const OnnxValue x = graph.reshape(call.inputs[0], {0, call.tokens(), parts, width});
  return graph.reshape(layer_normed(call, x), {0, call.tokens(), call.columns()});
}

VITRINE_ONNX_FORM(layer_norm, layer_norm_onnx)

}  // namespace
}  // namespace vitrine
