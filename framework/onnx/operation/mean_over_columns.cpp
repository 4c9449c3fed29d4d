#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue mean_over_columns_onnx(const OnnxCall& call) {
  return call.graph.mean(call.inputs[0], 2);
}

VITRINE_ONNX_FORM(mean_over_columns, mean_over_columns_onnx)

}  // namespace
}  // namespace vitrine
