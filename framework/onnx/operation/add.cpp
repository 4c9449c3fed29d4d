#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue add_onnx(const OnnxCall& call) { return call.graph.add("Add", call.inputs); }

VITRINE_ONNX_FORM(add, add_onnx)

}  // namespace
}  // namespace vitrine
