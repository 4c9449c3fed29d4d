#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue log_onnx(const OnnxCall& call) { return call.graph.add("Log", call.inputs); }

VITRINE_ONNX_FORM(log, log_onnx)

}  // namespace
}  // namespace vitrine
