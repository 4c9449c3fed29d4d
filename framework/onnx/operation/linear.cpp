#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue linear_onnx(const OnnxCall& call) {
  OnnxGraph& graph = call.graph;
  OnnxValue weight = call.parameters[0];
  if (call.applied.parameters[0].size() != 2)
    weight = graph.reshape(weight, {call.columns(), call.columns(0)});
  const OnnxValue product = graph.add("MatMul", {call.inputs[0], graph.transpose(weight, {1, 0})});
  if (call.parameters[1].name.empty()) return product;
  return graph.add("Add", {product, call.parameters[1]});
}

VITRINE_ONNX_FORM(linear, linear_onnx)

}  // namespace
}  // namespace vitrine
