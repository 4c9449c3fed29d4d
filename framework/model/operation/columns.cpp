#include <ATen/ops/narrow.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor columns_form(const TorchCall& call) {
  return call.inputs[0].narrow(2, call.count(0), call.count(1));
}

VITRINE_TORCH_FORM(columns, columns_form)

}  // namespace
}  // namespace vitrine
