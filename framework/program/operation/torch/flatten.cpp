#include "framework/training/value.h"

namespace vitrine {
namespace {

Tensor form(const TorchCall& call) { return call.inputs[0].flatten(1).unsqueeze(1); }

VITRINE_TORCH_FORM(flatten, form)

}  // namespace
}  // namespace vitrine
