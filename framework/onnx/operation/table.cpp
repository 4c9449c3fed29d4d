#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue table_onnx(const OnnxCall& call) {
  const OnnxValue rows = call.graph.reshape(call.parameters[0], {1, -1, call.columns()});
  if (call.applied.parameter_size(0) == call.applied.output.size()) return rows;
  return call.graph.slice(rows, 1, call.count(0), call.count(1));
}

VITRINE_ONNX_FORM(table, table_onnx)

}  // namespace
}  // namespace vitrine
