#include <limits>

#include "framework/model/loss.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

class NegativeLogLikelihood : public Loss {
 public:
  NegativeLogLikelihood(const NoOptions&, const LossContext&) {}

  Value forward(const Value& output, const Value& target, const Task& task) override {
    constexpr float kTiny = std::numeric_limits<float>::min();  // keeps log(0) finite
    const Value logs = task.probabilities ? log(maximum(output, kTiny)) : log_softmax(output);
    return pick(logs, target) * -1;
  }
};

VITRINE_REGISTER(Loss, NegativeLogLikelihood, NoOptions,
                 "negative log likelihood of what the head predicts, logits or probabilities")

}  // namespace
}  // namespace vitrine
