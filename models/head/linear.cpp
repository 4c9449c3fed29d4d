#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

class LinearHead : public Head {
 public:
  LinearHead(const NoOptions&, const HeadContext& context) {
    torch::nn::Linear linear(context.hidden_d, context.outputs);
    weight_ = register_parameter("weight", linear->weight);
    bias_ = register_parameter("bias", linear->bias);
  }

 protected:
  Value forward(const Value& x) override { return linear(x, weight_, bias_); }

 private:
  Tensor weight_, bias_;
};

VITRINE_REGISTER(Head, LinearHead, NoOptions, "a linear layer that gives logits")

}  // namespace
}  // namespace vitrine
