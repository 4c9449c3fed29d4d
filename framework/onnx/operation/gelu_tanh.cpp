#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue gelu_tanh_onnx(const OnnxCall& call) {
  OnnxGraph& graph = call.graph;
  const OnnxValue& x = call.inputs[0];
  if (graph.opset() >= 20) return graph.add("Gelu", {x}, {{"approximate", std::string("tanh")}});
  const auto times = [&](const OnnxValue& a, const OnnxValue& b) {
    return graph.add("Mul", {a, b});
  };
  const auto plus_one = [&](const OnnxValue& a) { return graph.add("Add", {a, graph.number(1)}); };
  // sqrt(2 / pi) (x + 0.044715 x^3)
  const OnnxValue cubic = times(x, plus_one(times(times(x, x), graph.number(0.044715))));
  const OnnxValue tanh = graph.add("Tanh", {times(cubic, graph.number(0.7978845608028654))});
  return times(x, times(plus_one(tanh), graph.number(0.5)));
}

VITRINE_ONNX_FORM(gelu_tanh, gelu_tanh_onnx)

}  // namespace
}  // namespace vitrine
