#include "framework/model/softmax.h"
#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor log_softmax_form(const TorchCall& call) { return log_softmax(call.inputs[0]); }

VITRINE_TORCH_FORM(log_softmax, log_softmax_form)

}  // namespace
}  // namespace vitrine
