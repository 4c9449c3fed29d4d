#include <fmt/format.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/conv.h>

#include <algorithm>
#include <bit>

#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

struct Options : NoOptions {
  void check(const Geometry& context, Check& check) const {
    const int64_t height = context.patch_height(), width = context.patch_width();
    if (height == width && std::has_single_bit(static_cast<uint64_t>(height))) return;
    check.error({}, fmt::format("conv_stem needs square patches whose side is a power of two, but "
                                "they are {} x {} pixels",
                                height, width));
  }
};

// Overlapping patches: a 3x3 convolution with stride 2 for each halving of the patch, each wider
// than the one before, then a projection. Xiao et al. 2021, "Early convolutions help transformers
// see better", without their batch norm, so that an image's tokens depend on no other image.
class ConvStem : public Embedding {
 public:
  ConvStem(const Options&, const PartContext& context) : context_(context) {
    const int64_t halvings = std::countr_zero(static_cast<uint64_t>(context.patch_height()));
    torch::nn::ModuleList convolutions;
    int64_t channels = context.channels;
    for (int64_t left = halvings; left-- > 0;) {
      const int64_t width = std::max<int64_t>(context.hidden_d >> left, 8);
      torch::nn::Conv2d convolution(
          torch::nn::Conv2dOptions(channels, width, 3).stride(2).padding(1));
      convolutions->push_back(convolution);
      layers_.push_back({convolution->weight, convolution->bias});
      channels = width;
    }
    register_module("convolutions", convolutions);
    torch::nn::Conv2d projection(channels, context.hidden_d, 1);
    register_module("projection", projection);
    projection_ = {projection->weight, projection->bias};
  }

 protected:
  Value forward(const Value& images) override {
    int64_t height = context_.height, width = context_.width;
    Value x = patches(images, height, width);
    for (const Weights& layer : layers_) {
      x = gelu(convolution(x, {height, width}, layer.weight, layer.bias, {2, 2}, {1, 1}));
      height /= 2;
      width /= 2;
    }
    return linear(x, projection_.weight, projection_.bias);
  }

 private:
  struct Weights {
    Tensor weight, bias;
  };
  PartContext context_;
  std::vector<Weights> layers_;
  Weights projection_;
};

VITRINE_REGISTER(Embedding, ConvStem, Options,
                 "overlapping 3x3 convolutions that halve the image, then a projection")

}  // namespace
}  // namespace vitrine
