#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "datasets/augmentation.h"
#include "framework/config/counted.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

constexpr int kAttempts = 10;

struct Options {
  double p = 0.5;
  std::vector<double> scale = {0.02, 0.33}, ratio = {0.3, 3.3};
  std::vector<int64_t> value = {0};
  bool noise = false;

  void visit(Fields& field) {
    field("p", p, "probability", between(0, 1));
    counted(field("scale", scale, "least and largest share of the image's area", between(0, 1)), 2);
    counted(field("ratio", ratio, "least and largest height, in widths", above(0)), 2);
    field("value", value, "what is put there: a value, or one a channel", between(0, 255))
        .words({"fill"});
    field("noise", noise, "put random values there, each as likely as any other");
  }
  void check(const TransformContext& images, Check& check) const {
    check_range("scale", scale, check);
    check_range("ratio", ratio, check);
    check_fill("value", value, images, check);
    if (noise && value != Options().value) check.no_effect("value", "noise is put there");
  }
};

// Zhong et al. 2020, "Random Erasing Data Augmentation"; where ten attempts do not fit into the
// image, it stays.
class RandomErasing : public ImageTransform {
 public:
  RandomErasing(const Options& options, const TransformContext& context)
      : ImageTransform(context),
        options_(options),
        value_(fill_of(options.value, context.channels)) {}

  bool is_random() const override { return true; }
  Image apply(Image image, Draws& draws) const override {
    if (draws.uniform() >= options_.p) return image;
    const auto area = static_cast<double>(image.width * image.height);
    for (int i = 0; i < kAttempts; ++i) {
      const double erased = area * draws.between(options_.scale[0], options_.scale[1]);
      const double ratio =
          std::exp(draws.between(std::log(options_.ratio[0]), std::log(options_.ratio[1])));
      const auto height = static_cast<int64_t>(std::nearbyint(std::sqrt(erased * ratio)));
      const auto width = static_cast<int64_t>(std::nearbyint(std::sqrt(erased / ratio)));
      if (height >= image.height || width >= image.width) continue;
      const int64_t y = draws.integer(0, image.height - height);
      const int64_t x = draws.integer(0, image.width - width);
      erase(image, x, y, width, height, draws);
      break;
    }
    return image;
  }

 private:
  void erase(Image& image, int64_t x, int64_t y, int64_t width, int64_t height,
             Draws& draws) const {
    for (int64_t row = y; row < y + height; ++row) {
      uint8_t* to = image.pixels.data() + (row * image.width + x) * image.channels;
      for (int64_t i = 0; i < width * image.channels; ++i) {
        to[i] = options_.noise ? static_cast<uint8_t>(draws.integer(0, 255))
                               : value_[static_cast<size_t>(i % image.channels)];
      }
    }
  }

  Options options_;
  Fill value_;
};

VITRINE_REGISTER(Transform, RandomErasing, Options, "erases a rectangle of each image")

}  // namespace
}  // namespace vitrine
