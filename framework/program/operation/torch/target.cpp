#include "framework/training/value.h"

namespace vitrine {
namespace {

Tensor target_form(const TorchCall& call) {
  return call.feed->targets[static_cast<size_t>(call.count(0))].to(at::kFloat).view({-1, 1, 1});
}

VITRINE_TORCH_FORM(target, target_form)

}  // namespace
}  // namespace vitrine
