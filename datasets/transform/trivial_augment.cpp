#include "datasets/augmentation.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

// Müller and Hutter 2021, "TrivialAugment: Tuning-free Yet State-of-the-Art Data Augmentation", its
// wide space, with torchvision's operations.
class TrivialAugment : public ImageTransform {
 public:
  TrivialAugment(const AugmentationOptions& options, const TransformContext& context)
      : ImageTransform(context),
        bins_(options.num_magnitude_bins),
        fill_(fill_of(options.fill, context.channels)) {}

  bool is_random() const override { return true; }
  Image apply(Image image, Draws& draws) const override {
    constexpr AugmentationSpace kWide = {.shear = 0.99,
                                         .translate_x = 32,
                                         .translate_y = 32,
                                         .degrees = 135,
                                         .factor = 0.99,
                                         .bits = 6};
    const int64_t operation = draws.integer(0, kAugmentations - 1);
    const int64_t magnitude = draws.integer(0, bins_ - 1);
    const bool backward = draws.integer(0, 1) == 1;
    return augmented(std::move(image), operation, kWide, magnitude, bins_, backward, fill_);
  }

 private:
  int64_t bins_;
  Fill fill_;
};

VITRINE_REGISTER(Transform, TrivialAugment, AugmentationOptions,
                 "changes places or colours, any one of 14 ways, of any strength")

}  // namespace
}  // namespace vitrine
