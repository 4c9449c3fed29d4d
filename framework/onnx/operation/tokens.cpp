#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue tokens_onnx(const OnnxCall& call) {
  return call.graph.slice(call.inputs[0], 1, call.count(0), call.count(1));
}

VITRINE_ONNX_FORM(tokens, tokens_onnx)

}  // namespace
}  // namespace vitrine
