#include <fmt/format.h>

#include "datasets/augmentation.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options : AugmentationOptions {
  int64_t num_ops = 2, magnitude = 9;

  void visit(Fields& field) {
    field("num_ops", num_ops, "operations after each other, each any of the 14", between(1, 100));
    field("magnitude", magnitude, "of all operations, from 0 on", at_least(0));
    AugmentationOptions::visit(field);
  }
  void check(const TransformContext& images, Check& check) const {
    AugmentationOptions::check(images, check);
    if (magnitude < num_magnitude_bins) return;
    check.error({"magnitude", "num_magnitude_bins"},
                fmt::format("magnitude ({}) must be below num_magnitude_bins ({})", magnitude,
                            num_magnitude_bins));
  }
};

// Cubuk et al. 2020, "RandAugment: Practical Automated Data Augmentation with a Reduced Search
// Space", with torchvision's operations.
class RandAugment : public ImageTransform {
 public:
  RandAugment(const Options& options, const TransformContext& context)
      : ImageTransform(context),
        options_(options),
        fill_(fill_of(options.fill, context.channels)) {}

  bool is_random() const override { return true; }
  Image apply(Image image, Draws& draws) const override {
    constexpr double kShift = 150.0 / 331.0;  // of the width and height that the paper has
    const AugmentationSpace space = {.shear = 0.3,
                                     .translate_x = kShift * static_cast<double>(image.width),
                                     .translate_y = kShift * static_cast<double>(image.height),
                                     .degrees = 30,
                                     .factor = 0.9,
                                     .bits = 4};
    for (int64_t i = 0; i < options_.num_ops; ++i) {
      const int64_t operation = draws.integer(0, kAugmentations - 1);
      const bool backward = draws.integer(0, 1) == 1;
      image = augmented(std::move(image), operation, space, options_.magnitude,
                        options_.num_magnitude_bins, backward, fill_);
    }
    return image;
  }

 private:
  Options options_;
  Fill fill_;
};

VITRINE_REGISTER(Transform, RandAugment, Options,
                 "changes places and colours, any two of 14 ways, all of one strength")

}  // namespace
}  // namespace vitrine
