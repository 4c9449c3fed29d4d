#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue scale_onnx(const OnnxCall& call) {
  return call.graph.add("Mul", {call.inputs[0], call.graph.number(call.applied.numbers[0])});
}

VITRINE_ONNX_FORM(scale, scale_onnx)

}  // namespace
}  // namespace vitrine
