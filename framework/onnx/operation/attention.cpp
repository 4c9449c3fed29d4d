#include "framework/onnx/attention.h"

namespace vitrine {
namespace {

OnnxValue attention_onnx(const OnnxCall& call) {
  OnnxGraph& graph = call.graph;
  const int64_t heads = call.count(0);
  if (call.applied.numbers[1] > 0) refuse_random_in_onnx(call);
  if (graph.opset() >= 23) {
    return graph.add("Attention", graph.of_each_image_where_one_is(call.inputs),
                     {{"q_num_heads", heads}, {"kv_num_heads", heads}});
  }
  const OnnxValue shares =
      graph.add("Softmax", {attention_scores(call, heads)}, {{"axis", int64_t{-1}}});
  const OnnxValue v = of_each_head(call, 2, heads, {0, 2, 1, 3});
  const OnnxValue out = graph.transpose(graph.add("MatMul", {shares, v}), {0, 2, 1, 3});
  return graph.reshape(out, {0, call.tokens(), call.columns()});
}

VITRINE_ONNX_FORM(attention, attention_onnx)

}  // namespace
}  // namespace vitrine
