#include "framework/model/loss.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

class NegativeLogLikelihood : public Loss {
 public:
  NegativeLogLikelihood(const LossOptions&, const LossContext&) {}

  Value forward(const Value& output, const Value& target, const Task& task) override {
    return of_target(log_probabilities(output, task), target) * -1;
  }
};

VITRINE_REGISTER(Loss, NegativeLogLikelihood, LossOptions,
                 "negative log likelihood of what the head predicts, logits or probabilities")

}  // namespace
}  // namespace vitrine
