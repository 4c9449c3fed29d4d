#pragma once

#include <cstdint>
#include <vector>

#include "datasets/image_operations.h"
#include "framework/config/check.h"
#include "framework/data/image_transform.h"

// What transforms of single images have in common.
namespace vitrine {

// --- Rules of options, in words.

// Colours are those of grey and RGB images alone.
void check_has_colours(const TransformContext& images, Check& check);
// A value for all channels, or one each, 0 to 255.
void check_fill(const char* field, const std::vector<int64_t>& values,
                const TransformContext& images, Check& check);
// The least, then the largest.
void check_range(const char* field, const std::vector<double>& range, Check& check);

Fill fill_of(const std::vector<int64_t>& values, int64_t channels);

// --- The operations of RandAugment and TrivialAugment, as torchvision names and bounds them.

struct AugmentationSpace {
  double shear;        // largest slope
  double translate_x;  // largest shift, in pixels
  double translate_y;
  double degrees;  // largest rotation
  double factor;   // what brightness, colour, contrast and sharpness are changed by at most
  int bits;        // that posterize takes at most
};

inline constexpr int64_t kAugmentations = 14;

// The options that RandAugment and TrivialAugment have in common.
struct AugmentationOptions {
  using SharedOptions = AugmentationOptions;

  int64_t num_magnitude_bins = 31;
  std::vector<int64_t> fill = {0};

  void visit(Fields& field) {
    field("num_magnitude_bins", num_magnitude_bins, "how many magnitudes there are",
          between(2, 1000))
        .words({"bins"});
    field("fill", fill, "what is uncovered: a value, or one a channel", between(0, 255));
  }
  void check(const TransformContext& images, Check& check) const {
    check_has_colours(images, check);
    check_fill("fill", fill, images, check);
  }
};

// The image after one of the operations, 0 to kAugmentations - 1, at one of `bins` magnitudes. What
// has two directions goes backward where `backward`.
Image augmented(Image image, int64_t operation, const AugmentationSpace& space, int64_t magnitude,
                int64_t bins, bool backward, const Fill& fill);

}  // namespace vitrine
