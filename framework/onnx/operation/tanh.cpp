#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue tanh_onnx(const OnnxCall& call) { return call.graph.add("Tanh", call.inputs); }

VITRINE_ONNX_FORM(tanh, tanh_onnx)

}  // namespace
}  // namespace vitrine
