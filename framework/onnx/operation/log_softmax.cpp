#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue log_softmax_onnx(const OnnxCall& call) {
  return call.graph.add("LogSoftmax", call.inputs, {{"axis", int64_t{-1}}});
}

VITRINE_ONNX_FORM(log_softmax, log_softmax_onnx)

}  // namespace
}  // namespace vitrine
