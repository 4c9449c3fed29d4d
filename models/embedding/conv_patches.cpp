#include <torch/nn/modules/conv.h>

#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

class ConvPatches : public Embedding {
 public:
  ConvPatches(const NoOptions&, const PartContext& context) : context_(context) {
    const std::array<int64_t, 2> patch = {context.patch_height(), context.patch_width()};
    torch::nn::Conv2dOptions options(context.channels, context.hidden_d, patch);
    torch::nn::Conv2d convolution(options.stride(patch));
    weight_ =
        register_parameter("weight", convolution->weight);  // [D, C, patch height, patch width]
    bias_ = register_parameter("bias", convolution->bias);
  }

 protected:
  // Windows that do not overlap are patches.
  Value forward(const Value& images) override {
    return linear(patches(images, context_.rows, context_.columns), weight_, bias_);
  }

 private:
  PartContext context_;
  Tensor weight_, bias_;
};

VITRINE_REGISTER(Embedding, ConvPatches, NoOptions,
                 "a convolution with the patch as kernel and stride")

}  // namespace
}  // namespace vitrine
