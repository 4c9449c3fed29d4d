#include "framework/model/random_mask.h"
#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor drop_path_form(const TorchCall& call) {
  const Tensor& x = call.inputs[0];
  return x * random_mask(call, x, 1, call.numbers[0], call.count(1), [](int64_t i) {
               return i;
             }).unsqueeze(2);
}

VITRINE_TORCH_FORM(drop_path, drop_path_form)

}  // namespace
}  // namespace vitrine
