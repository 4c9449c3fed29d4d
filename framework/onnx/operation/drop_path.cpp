#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue drop_path_onnx(const OnnxCall& call) {
  if (call.applied.numbers[0] > 0) refuse_random_in_onnx(call);
  return call.inputs[0];
}

VITRINE_ONNX_FORM(drop_path, drop_path_onnx)

}  // namespace
}  // namespace vitrine
