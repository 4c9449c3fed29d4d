#include <ATen/ops/nll_loss.h>

#include <limits>

#include "framework/registry/register.h"
#include "framework/training/loss.h"
#include "framework/training/softmax.h"

namespace vitrine {
namespace {

class NegativeLogLikelihood : public Loss {
 public:
  NegativeLogLikelihood(const NoOptions&, const LossContext&) {}

  Tensor forward(const Tensor& output, const Tensor& target, const Task& task) override {
    constexpr float kTiny = std::numeric_limits<float>::min();  // keeps log(0) finite
    return at::nll_loss(task.probabilities ? output.clamp_min(kTiny).log() : log_softmax(output),
                        target);
  }
};

VITRINE_REGISTER(Loss, NegativeLogLikelihood, NoOptions,
                 "negative log likelihood of what the head predicts, logits or probabilities")

}  // namespace
}  // namespace vitrine
