#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue square_onnx(const OnnxCall& call) {
  return call.graph.add("Mul", {call.inputs[0], call.inputs[0]});
}

VITRINE_ONNX_FORM(square, square_onnx)

}  // namespace
}  // namespace vitrine
