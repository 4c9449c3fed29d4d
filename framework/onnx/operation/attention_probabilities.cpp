#include "framework/onnx/attention.h"

namespace vitrine {
namespace {

OnnxValue attention_probabilities_onnx(const OnnxCall& call) {
  OnnxGraph& graph = call.graph;
  const OnnxValue scores = attention_scores(call, call.count(0));
  const OnnxValue shares = graph.add("Softmax", {scores}, {{"axis", int64_t{-1}}});
  return graph.reshape(shares, {0, call.tokens(), call.columns()});
}

VITRINE_ONNX_FORM(attention_probabilities, attention_probabilities_onnx)

}  // namespace
}  // namespace vitrine
