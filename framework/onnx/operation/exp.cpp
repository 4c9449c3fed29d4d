#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue exp_onnx(const OnnxCall& call) { return call.graph.add("Exp", call.inputs); }

VITRINE_ONNX_FORM(exp, exp_onnx)

}  // namespace
}  // namespace vitrine
