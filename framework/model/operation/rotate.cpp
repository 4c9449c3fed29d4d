#include <ATen/ops/stack.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor rotate_form(const TorchCall& call) {
  const Tensor& x = call.inputs[0];
  const int64_t heads = call.count(0), half = call.parameters[0].size(-1);
  const Tensor points = x.unflatten(2, {heads, 2, half});
  const auto angles = [&](size_t parameter) {  // [n, 1, half]
    return call.parameters[parameter].narrow(0, call.count(1), x.size(1)).unsqueeze(1);
  };
  const Tensor cosines = angles(0), sines = angles(1);
  const Tensor a = points.select(3, 0), b = points.select(3, 1);
  return at::stack({a * cosines - b * sines, b * cosines + a * sines}, 3).flatten(2);
}

VITRINE_TORCH_FORM(rotate, rotate_form)

}  // namespace
}  // namespace vitrine
