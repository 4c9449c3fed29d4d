#include "framework/model/operations.h"
#include "framework/registry/register.h"
#include "gate.h"

namespace vitrine {
namespace {

// A gate with weights: they are the model's, under the names that add gives.
class LearnedGate : public Gate {
 public:
  LearnedGate(const NoOptions&, const GateContext& context) {
    fc_ = add("fc", std::make_shared<Linear>(context.width, context.width));
  }

 protected:
  Value forward(const Value& x) override { return sigmoid((*fc_)(x)); }

 private:
  std::shared_ptr<Linear> fc_;
};

VITRINE_REGISTER(Gate, LearnedGate, NoOptions, "the sigmoid of a linear layer")

}  // namespace
}  // namespace vitrine
