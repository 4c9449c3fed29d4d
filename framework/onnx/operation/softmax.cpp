#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue softmax_onnx(const OnnxCall& call) {
  return call.graph.add("Softmax", call.inputs, {{"axis", int64_t{-1}}});
}

VITRINE_ONNX_FORM(softmax, softmax_onnx)

}  // namespace
}  // namespace vitrine
