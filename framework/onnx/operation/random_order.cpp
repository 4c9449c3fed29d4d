#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue random_order_onnx(const OnnxCall& call) { refuse_random_in_onnx(call); }

VITRINE_ONNX_FORM(random_order, random_order_onnx)

}  // namespace
}  // namespace vitrine
