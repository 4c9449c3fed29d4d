#include <ATen/ops/narrow.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor tokens_form(const TorchCall& call) {
  return call.inputs[0].narrow(1, call.count(0), call.count(1));
}

VITRINE_TORCH_FORM(tokens, tokens_form)

}  // namespace
}  // namespace vitrine
