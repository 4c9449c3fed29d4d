#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue relu_onnx(const OnnxCall& call) { return call.graph.add("Relu", call.inputs); }

VITRINE_ONNX_FORM(relu, relu_onnx)

}  // namespace
}  // namespace vitrine
