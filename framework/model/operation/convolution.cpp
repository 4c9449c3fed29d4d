#include <ATen/ops/conv2d.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor convolution_form(const TorchCall& call) {
  const Tensor& x = call.inputs[0];
  const int64_t height = call.count(0), width = call.count(1);
  const Tensor map = x.transpose(1, 2).unflatten(2, {height, width});
  return at::conv2d(map, call.parameters[0], call.parameters[1], {call.count(4), call.count(5)},
                    {call.count(6), call.count(7)})
      .flatten(2)
      .transpose(1, 2);
}

VITRINE_TORCH_FORM(convolution, convolution_form)

}  // namespace
}  // namespace vitrine
