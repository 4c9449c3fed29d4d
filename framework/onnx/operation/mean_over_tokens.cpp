#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue mean_over_tokens_onnx(const OnnxCall& call) { return call.graph.mean(call.inputs[0], 1); }

VITRINE_ONNX_FORM(mean_over_tokens, mean_over_tokens_onnx)

}  // namespace
}  // namespace vitrine
