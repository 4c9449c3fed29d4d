#include "framework/model/softmax.h"

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor softmax_form(const TorchCall& call) { return softmax(call.inputs[0]); }

VITRINE_TORCH_FORM(softmax, softmax_form)

}  // namespace
}  // namespace vitrine
