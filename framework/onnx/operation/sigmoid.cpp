#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue sigmoid_onnx(const OnnxCall& call) { return call.graph.add("Sigmoid", call.inputs); }

VITRINE_ONNX_FORM(sigmoid, sigmoid_onnx)

}  // namespace
}  // namespace vitrine
