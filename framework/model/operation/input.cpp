#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor input_form(const TorchCall& call) {
  return call.feed->inputs.at(static_cast<size_t>(call.count(0))).view({-1, 1, call.count(1)});
}

VITRINE_TORCH_FORM(input, input_form)

}  // namespace
}  // namespace vitrine
