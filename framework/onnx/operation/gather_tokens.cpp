#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue gather_tokens_onnx(const OnnxCall& call) {
  OnnxGraph& graph = call.graph;
  const auto operands = graph.of_each_image_where_one_is(call.inputs);
  const OnnxValue numbers = graph.cast(operands[1], OnnxType::kInt64);
  const OnnxValue of_each_column =
      graph.add("Expand", {numbers, graph.integers({1, 1, call.columns()})});
  return graph.add("GatherElements", {operands[0], of_each_column}, {{"axis", int64_t{1}}});
}

VITRINE_ONNX_FORM(gather_tokens, gather_tokens_onnx)

}  // namespace
}  // namespace vitrine
