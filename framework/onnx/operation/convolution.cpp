#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue convolution_onnx(const OnnxCall& call) {
  OnnxGraph& graph = call.graph;
  const OnnxValue map = graph.as_map(call.inputs[0], call.columns(0), call.count(0), call.count(1));
  std::vector<OnnxValue> operands = {map, call.parameters[0]};
  if (!call.parameters[1].name.empty()) operands.push_back(call.parameters[1]);
  const int64_t y = call.count(6), x = call.count(7);
  const OnnxValue out = graph.add("Conv", operands,
                                  {{"kernel_shape", OnnxGraph::Sizes{call.count(2), call.count(3)}},
                                   {"strides", OnnxGraph::Sizes{call.count(4), call.count(5)}},
                                   {"pads", OnnxGraph::Sizes{y, x, y, x}}});
  return graph.as_tokens(out, call.columns(), call.tokens());
}

VITRINE_ONNX_FORM(convolution, convolution_onnx)

}  // namespace
}  // namespace vitrine
