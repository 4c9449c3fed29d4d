#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

// Part by part, in libtorch; whatever is not read after the last block is not computed in it.
class LayersEncoder : public Encoder {
 public:
  LayersEncoder(const NoOptions&, const EncoderContext& context) : parts_(context.parts) {}

  Tensor forward(const Tensor& images) override {
    Tensor x =
        parts_.with_positions(parts_.with_tokens(parts_.embedding->forward(to_float(images))));
    const int64_t needed = parts_.pooling->needed_tokens(x.size(1));
    for (Block* block : parts_.blocks)
      x = block->forward(x, block == parts_.blocks.back() ? needed : x.size(1));
    if (parts_.final_norm) x = parts_.final_norm->forward(x);
    return parts_.pooling->forward(x);
  }

  std::string name() const override { return "layers"; }

 private:
  Parts parts_;
};

VITRINE_REGISTER(Encoder, LayersEncoder, NoOptions,
                 "part by part, in libtorch: serves every model on every device")

}  // namespace
}  // namespace vitrine
