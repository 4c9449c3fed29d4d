#include <cmath>

#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue gelu_onnx(const OnnxCall& call) {
  OnnxGraph& graph = call.graph;
  const OnnxValue& x = call.inputs[0];
  if (graph.opset() >= 20) return graph.add("Gelu", {x});
  const OnnxValue erf = graph.add("Erf", {graph.add("Mul", {x, graph.number(std::sqrt(0.5))})});
  const OnnxValue share =
      graph.add("Mul", {graph.add("Add", {erf, graph.number(1)}), graph.number(0.5)});
  return graph.add("Mul", {x, share});
}

VITRINE_ONNX_FORM(gelu, gelu_onnx)

}  // namespace
}  // namespace vitrine
