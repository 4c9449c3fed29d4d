#include "framework/model/random_mask.h"
#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor dropout_form(const TorchCall& call) {
  const Tensor& x = call.inputs[0];
  const int64_t first = call.count(2) * x.size(2);
  return x * random_mask(call, x, x.size(1) * x.size(2), call.numbers[0], call.count(1),
                         [&](int64_t i) { return first + i; })
                 .view({-1, x.size(1), x.size(2)});
}

VITRINE_TORCH_FORM(dropout, dropout_form)

}  // namespace
}  // namespace vitrine
