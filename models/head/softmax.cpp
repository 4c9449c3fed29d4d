#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

class SoftmaxHead : public Head {
 public:
  SoftmaxHead(const NoOptions&, const HeadContext& context) {
    torch::nn::Linear linear(context.hidden_d, context.outputs);
    weight_ = register_parameter("weight", linear->weight);
    bias_ = register_parameter("bias", linear->bias);
  }

  bool gives_probabilities() const override { return true; }

 protected:
  Value forward(const Value& x) override { return softmax(linear(x, weight_, bias_)); }

 private:
  Tensor weight_, bias_;
};

VITRINE_REGISTER(Head, SoftmaxHead, NoOptions,
                 "a linear layer and a softmax: gives probabilities, as the tutorial has it")

}  // namespace
}  // namespace vitrine
