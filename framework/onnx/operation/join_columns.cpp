#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue join_columns_onnx(const OnnxCall& call) {
  return call.graph.join(call.graph.of_each_image_where_one_is(call.inputs), 2);
}

VITRINE_ONNX_FORM(join_columns, join_columns_onnx)

}  // namespace
}  // namespace vitrine
