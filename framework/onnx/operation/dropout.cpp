#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue dropout_onnx(const OnnxCall& call) {
  if (call.applied.numbers[0] > 0) refuse_random_in_onnx(call);
  return call.inputs[0];
}

VITRINE_ONNX_FORM(dropout, dropout_onnx)

}  // namespace
}  // namespace vitrine
