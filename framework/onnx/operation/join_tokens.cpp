#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue join_tokens_onnx(const OnnxCall& call) {
  return call.graph.join(call.graph.of_each_image_where_one_is(call.inputs), 1);
}

VITRINE_ONNX_FORM(join_tokens, join_tokens_onnx)

}  // namespace
}  // namespace vitrine
