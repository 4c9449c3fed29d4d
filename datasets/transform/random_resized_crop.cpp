#include <algorithm>
#include <cmath>

#include "datasets/augmentation.h"
#include "framework/config/counted.h"
#include "framework/images/resize.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

constexpr int kAttempts = 10;

struct Options {
  std::vector<double> scale = {0.08, 1}, ratio = {3.0 / 4, 4.0 / 3};

  void visit(Fields& field) {
    counted(
        field(
            "scale", scale, "least and largest share of the image's area",
            Rule{.words = "above 0, at most 1", .minimum = 0, .maximum = 1, .above_minimum = true}),
        2);
    counted(field("ratio", ratio, "least and largest width, in heights", above(0)), 2);
  }
  void check(const TransformContext& images, Check& check) const {
    check_has_colours(images, check);
    check_range("scale", scale, check);
    check_range("ratio", ratio, check);
  }
};

int64_t rounded(double value) { return static_cast<int64_t>(std::nearbyint(value)); }

// Szegedy et al. 2015, "Going Deeper with Convolutions"; where ten attempts do not fit into the
// image, the largest part in its middle whose sides are within the ratios.
class RandomResizedCrop : public ImageTransform {
 public:
  RandomResizedCrop(const Options& options, const TransformContext& context)
      : ImageTransform(context), options_(options), images_(context) {}

  bool is_random() const override { return true; }
  bool takes_any_size() const override { return true; }
  Image apply(Image image, Draws& draws) const override {
    return resize_box(image, drawn_box(image, draws), images_.width, images_.height);
  }

 private:
  PixelBox drawn_box(const Image& image, Draws& draws) const {
    const auto area = static_cast<double>(image.width * image.height);
    for (int i = 0; i < kAttempts; ++i) {
      const double share = area * draws.between(options_.scale[0], options_.scale[1]);
      const double ratio =
          std::exp(draws.between(std::log(options_.ratio[0]), std::log(options_.ratio[1])));
      const int64_t width = rounded(std::sqrt(share * ratio)),
                    height = rounded(std::sqrt(share / ratio));
      if (width < 1 || height < 1 || width > image.width || height > image.height) continue;
      const int64_t y = draws.integer(0, image.height - height);
      return {draws.integer(0, image.width - width), y, width, height};
    }
    return middle_of(image);
  }

  PixelBox middle_of(const Image& image) const {
    const auto width = static_cast<double>(image.width), height = static_cast<double>(image.height);
    PixelBox out{0, 0, image.width, image.height};
    if (width / height < options_.ratio[0]) out.height = rounded(width / options_.ratio[0]);
    if (width / height > options_.ratio[1]) out.width = rounded(height * options_.ratio[1]);
    out.width = std::max<int64_t>(out.width, 1);
    out.height = std::max<int64_t>(out.height, 1);
    out.x = (image.width - out.width) / 2;
    out.y = (image.height - out.height) / 2;
    return out;
  }

  Options options_;
  TransformContext images_;
};

VITRINE_REGISTER(Transform, RandomResizedCrop, Options,
                 "a part of each image, of any size and place, resized")

}  // namespace
}  // namespace vitrine
