#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

// Dosovitskiy et al. 2021, "An image is worth 16x16 words".
class LinearPatches : public Embedding {
 public:
  LinearPatches(const NoOptions&, const PartContext& context) : context_(context) {
    const int64_t pixels = context.channels * context.patch_height() * context.patch_width();
    torch::nn::Linear linear(pixels, context.hidden_d);
    weight_ = register_parameter("weight", linear->weight);
    bias_ = register_parameter("bias", linear->bias);
  }

 protected:
  Value forward(const Value& images) override {
    return linear(patches(images, context_.rows, context_.columns), weight_, bias_);
  }

 private:
  PartContext context_;
  Tensor weight_, bias_;
};

VITRINE_REGISTER(Embedding, LinearPatches, NoOptions,
                 "a patch flattened channel, row, column; then a linear layer")

}  // namespace
}  // namespace vitrine
