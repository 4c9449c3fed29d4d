#include <torch/nn/modules/conv.h>

#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

class ConvPatches : public Embedding {
 public:
  ConvPatches(const NoOptions&, const PartContext& context)
      : stride_({context.patch_height(), context.patch_width()}) {
    torch::nn::Conv2dOptions options(context.channels, context.hidden_d, stride_);
    torch::nn::Conv2d convolution(options.stride(stride_));
    weight_ =
        register_parameter("weight", convolution->weight);  // [D, C, patch height, patch width]
    bias_ = register_parameter("bias", convolution->bias);
  }

  Tensor forward(const Tensor& images) override {
    return at::conv2d(images, weight_, bias_, stride_).flatten(2).transpose(1, 2);
  }
  Tensor filters() const override { return weight_; }

 private:
  std::array<int64_t, 2> stride_;
  Tensor weight_, bias_;
};

VITRINE_REGISTER(Embedding, ConvPatches, NoOptions,
                 "a convolution with the patch as kernel and stride")

}  // namespace
}  // namespace vitrine
