#include "framework/onnx/form.h"

namespace vitrine {
namespace {

OnnxValue input_onnx(const OnnxCall& call) {
  refuse_in_onnx(
      call,
      "takes what comes with the images in training, which nobody has who asks the model; "
      "outputs are to be computed from images alone");
}

VITRINE_ONNX_FORM(input, input_onnx)

}  // namespace
}  // namespace vitrine
