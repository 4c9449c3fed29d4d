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
  void check(const PartContext& context, Check& check) const {
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
  ConvStem(const Options&, const PartContext& context) {
    const int64_t halvings = std::countr_zero(static_cast<uint64_t>(context.patch_height()));
    int64_t channels = context.channels;
    for (int64_t left = halvings; left-- > 0;) {
      const int64_t width = std::max<int64_t>(context.hidden_d >> left, 8);
      convolutions_->push_back(
          torch::nn::Conv2d(torch::nn::Conv2dOptions(channels, width, 3).stride(2).padding(1)));
      channels = width;
    }
    register_module("convolutions", convolutions_);
    projection_ = register_module("projection", torch::nn::Conv2d(channels, context.hidden_d, 1));
  }

  Tensor forward(const Tensor& images) override {
    Tensor x = images;
    for (const auto& convolution : *convolutions_)
      x = at::gelu(convolution->as<torch::nn::Conv2d>()->forward(x));
    return projection_->forward(x).flatten(2).transpose(1, 2);
  }
  Tensor filters() const override {
    const bool none = convolutions_->is_empty();  // patches of one pixel
    return none ? projection_->weight : (*convolutions_)[0]->as<torch::nn::Conv2d>()->weight;
  }

 private:
  torch::nn::ModuleList convolutions_;
  torch::nn::Conv2d projection_{nullptr};
};

VITRINE_REGISTER(Embedding, ConvStem, Options,
                 "overlapping 3x3 convolutions that halve the image, then a projection")

}  // namespace
}  // namespace vitrine
