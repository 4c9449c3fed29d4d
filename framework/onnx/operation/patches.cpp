#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue patches_onnx(const OnnxCall& call) {
  OnnxGraph& graph = call.graph;
  const int64_t channels = call.count(0), rows = call.count(3), columns = call.count(4);
  const int64_t height = call.count(1) / rows, width = call.count(2) / columns;
  const OnnxValue cut = graph.reshape(call.images, {0, channels, rows, height, columns, width});
  return graph.reshape(graph.transpose(cut, {0, 2, 4, 1, 3, 5}),
                       {0, call.tokens(), call.columns()});
}

VITRINE_ONNX_FORM(patches, patches_onnx)

}  // namespace
}  // namespace vitrine
