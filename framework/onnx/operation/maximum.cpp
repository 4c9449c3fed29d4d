#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue maximum_onnx(const OnnxCall& call) {
  return call.graph.add("Max", {call.inputs[0], call.graph.number(call.applied.numbers[0])});
}

VITRINE_ONNX_FORM(maximum, maximum_onnx)

}  // namespace
}  // namespace vitrine
