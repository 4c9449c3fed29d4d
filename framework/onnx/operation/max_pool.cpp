#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue max_pool_onnx(const OnnxCall& call) {
  OnnxGraph& graph = call.graph;
  const OnnxValue map = graph.as_map(call.inputs[0], call.columns(0), call.count(0), call.count(1));
  const OnnxValue out = graph.add("MaxPool", {map},
                                  {{"kernel_shape", OnnxGraph::Sizes{call.count(2), call.count(3)}},
                                   {"strides", OnnxGraph::Sizes{call.count(4), call.count(5)}}});
  return graph.as_tokens(out, call.columns(), call.tokens());
}

VITRINE_ONNX_FORM(max_pool, max_pool_onnx)

}  // namespace
}  // namespace vitrine
