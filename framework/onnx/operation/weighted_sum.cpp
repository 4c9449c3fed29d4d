#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue weighted_sum_onnx(const OnnxCall& call) { return call.graph.add("MatMul", call.inputs); }

VITRINE_ONNX_FORM(weighted_sum, weighted_sum_onnx)

}  // namespace
}  // namespace vitrine
