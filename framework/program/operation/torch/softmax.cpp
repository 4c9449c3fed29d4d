#include "framework/training/softmax.h"

#include "framework/training/value.h"

namespace vitrine {
namespace {

Tensor form(const TorchCall& call) { return softmax(call.inputs[0]); }

VITRINE_TORCH_FORM(softmax, form)

}  // namespace
}  // namespace vitrine
