#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor flatten_form(const TorchCall& call) { return call.inputs[0].flatten(1).unsqueeze(1); }

VITRINE_TORCH_FORM(flatten, flatten_form)

}  // namespace
}  // namespace vitrine
