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

  Tensor forward(const Tensor& images) override {
    const auto& c = context_;
    const Tensor patches =
        images.reshape({-1, c.channels, c.rows, c.patch_height(), c.columns, c.patch_width()})
            .permute({0, 2, 4, 1, 3, 5})  // [B, rows, columns, C, patch height, patch width]
            .reshape({-1, c.rows * c.columns, weight_.size(1)});
    return at::linear(patches, weight_, bias_);
  }
  Tensor filters() const override {
    return weight_.unflatten(1,
                             {context_.channels, context_.patch_height(), context_.patch_width()});
  }

 private:
  PartContext context_;
  Tensor weight_, bias_;
};

VITRINE_REGISTER(Embedding, LinearPatches, NoOptions,
                 "a patch flattened channel, row, column; then a linear layer")

}  // namespace
}  // namespace vitrine
