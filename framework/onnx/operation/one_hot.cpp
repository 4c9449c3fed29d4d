#include <numeric>

#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue one_hot_onnx(const OnnxCall& call) {
  OnnxGraph& graph = call.graph;
  OnnxGraph::Sizes columns(static_cast<size_t>(call.columns()));
  std::iota(columns.begin(), columns.end(), 0);
  const OnnxValue numbers = graph.cast(call.inputs[0], OnnxType::kInt64);
  return graph.cast(graph.add("Equal", {numbers, graph.integers(columns)}), OnnxType::kFloat);
}

VITRINE_ONNX_FORM(one_hot, one_hot_onnx)

}  // namespace
}  // namespace vitrine
