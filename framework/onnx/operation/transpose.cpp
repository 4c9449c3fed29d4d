#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue transpose_onnx(const OnnxCall& call) {
  return call.graph.transpose(call.inputs[0], {0, 2, 1});
}

VITRINE_ONNX_FORM(transpose, transpose_onnx)

}  // namespace
}  // namespace vitrine
