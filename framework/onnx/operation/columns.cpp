#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue columns_onnx(const OnnxCall& call) {
  return call.graph.slice(call.inputs[0], 2, call.count(0), call.count(1));
}

VITRINE_ONNX_FORM(columns, columns_onnx)

}  // namespace
}  // namespace vitrine
