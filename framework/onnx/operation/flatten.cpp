#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue flatten_onnx(const OnnxCall& call) {
  return call.graph.reshape(call.inputs[0], {0, 1, call.columns()});
}

VITRINE_ONNX_FORM(flatten, flatten_onnx)

}  // namespace
}  // namespace vitrine
