#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue silu_onnx(const OnnxCall& call) {
  const OnnxValue& x = call.inputs[0];
  return call.graph.add("Mul", {x, call.graph.add("Sigmoid", {x})});
}

VITRINE_ONNX_FORM(silu, silu_onnx)

}  // namespace
}  // namespace vitrine
