#include <ATen/ops/avg_pool2d.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor mean_pool_form(const TorchCall& call) {
  const Tensor map = call.inputs[0].transpose(1, 2).unflatten(2, {call.count(0), call.count(1)});
  return at::avg_pool2d(map, {call.count(2), call.count(3)}, {call.count(4), call.count(5)})
      .flatten(2)
      .transpose(1, 2);
}

VITRINE_TORCH_FORM(mean_pool, mean_pool_form)

}  // namespace
}  // namespace vitrine
