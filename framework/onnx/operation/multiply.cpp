#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue multiply_onnx(const OnnxCall& call) { return call.graph.add("Mul", call.inputs); }

VITRINE_ONNX_FORM(multiply, multiply_onnx)

}  // namespace
}  // namespace vitrine
