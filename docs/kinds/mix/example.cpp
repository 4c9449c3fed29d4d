#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>

#include "framework/registry/register.h"
#include "framework/training/mix.h"

namespace vitrine {
namespace {

struct Options : MixOptions {
  double part = 0.5;

  void visit(Fields& field) {
    MixOptions::visit(field);
    field("part", part, "largest share of the height that another image takes", between(0, 1));
  }
};

// Each image has the lower part of another one.
class ExampleMix : public Mix {
 public:
  ExampleMix(const Options& options, const MixContext&) : part_(options.part) {}

  // Images [B, C, H, W], bytes or float, as a batch has them; what they become keeps shape and
  // type. What is random is drawn from `draws`, so that a resumed run mixes as before.
  Mixed mix(const Tensor& images, Draws& draws) override {
    const int64_t count = images.size(0), height = images.size(2);
    const int64_t most = static_cast<int64_t>(part_ * static_cast<double>(height));
    const int64_t rows = draws.integer(0, most), first = height - rows;
    Tensor mixed = images.clone();
    mixed.narrow(2, first, rows).copy_(images.flip(0).narrow(2, first, rows));
    // The place of each image's partner in the batch, and what an image has of itself.
    const double own = static_cast<double>(first) / static_cast<double>(height);
    return {mixed, {at::arange(count - 1, -1, -1, at::kLong), at::full({count}, own, at::kFloat)}};
  }

 private:
  double part_;
};

VITRINE_REGISTER(Mix, ExampleMix, Options, "the lower part of another image")

}  // namespace
}  // namespace vitrine
