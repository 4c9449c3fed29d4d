#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue pick_onnx(const OnnxCall& call) {
  OnnxGraph& graph = call.graph;
  const auto operands = graph.of_each_image_where_one_is(call.inputs);
  return graph.add("GatherElements", {operands[0], graph.cast(operands[1], OnnxType::kInt64)},
                   {{"axis", int64_t{2}}});
}

VITRINE_ONNX_FORM(pick, pick_onnx)

}  // namespace
}  // namespace vitrine
