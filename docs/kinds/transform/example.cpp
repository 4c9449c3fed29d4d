#include <ATen/ops/empty.h>

#include "framework/data/transform.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options {
  double strength = 0.2;

  void visit(Fields& field) {
    field("strength", strength, "largest share by which an image becomes brighter or darker",
          from_below(0, 1));
  }
};

// Makes each training image brighter or darker.
class ExampleTransform : public Transform {
 public:
  // `salt` keeps two transforms of a list from drawing the same numbers.
  ExampleTransform(const Options& options, const TransformContext& context)
      : strength_(options.strength), salt_(context.salt) {}

  // What is random is left out in validation and test.
  bool is_random() const override { return true; }

  // float [B, C, H, W] -> the same. Draws by the images' numbers alone, so that neither their order
  // nor threads matter.
  Tensor forward(const Tensor& images, const BatchPosition& position) override {
    const auto index = position.indices.accessor<int64_t, 1>();
    Tensor factors = at::empty({index.size(0), 1, 1, 1}, at::kFloat);
    for (int64_t i = 0; i < index.size(0); ++i) {
      Draws draws(position.seed, position.epoch, index[i], salt_);
      factors[i].fill_(draws.between(1 - strength_, 1 + strength_));
    }
    return images.mul(factors.to(images.device()));
  }

 private:
  double strength_;
  uint64_t salt_;
};

VITRINE_REGISTER(Transform, ExampleTransform, Options, "random brightness of each image")

}  // namespace
}  // namespace vitrine
