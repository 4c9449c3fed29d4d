#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "datasets/augmentation.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options {
  std::vector<double> brightness = {0.4}, contrast = {0.4}, saturation = {0.4}, hue = {0};

  void visit(Fields& field) {
    field("brightness", brightness, "largest change of the factor 1, or the least and the largest",
          at_least(0));
    field("contrast", contrast, "as brightness", at_least(0));
    field("saturation", saturation, "as brightness", at_least(0));
    field(
        "hue", hue,
        "largest turn of hues, as a share of the circle, either way; or the least and the largest",
        between(-0.5, 0.5));
  }
  void check(const TransformContext& images, Check& check) const {
    check_has_colours(images, check);
    check_factors("brightness", brightness, check);
    check_factors("contrast", contrast, check);
    check_factors("saturation", saturation, check);
    check_factors("hue", hue, check);
    if (hue.size() == 1 && hue[0] < 0)
      check.error({"hue"}, "hue: one number is the largest turn either way, from 0 to 0.5");
    if (images.channels == 1) {
      // The defaults may stand there: a resolved config spells everything out.
      constexpr const char* kWhy = "the images are grey";
      if (saturation != Options().saturation) check.no_effect("saturation", kWhy);
      if (hue != Options().hue) check.no_effect("hue", kWhy);
    }
    const bool has_none = changes_nothing(brightness, 1) && changes_nothing(contrast, 1) &&
                          changes_nothing(saturation, 1) && changes_nothing(hue, 0);
    if (has_none) check.error({"type"}, "color_jitter: all of it is 0, so that nothing changes");
  }
  static void check_factors(const char* field, const std::vector<double>& values, Check& check) {
    if (values.size() == 1 || (values.size() == 2 && values[0] <= values[1])) return;
    check.error({field},
                fmt::format("{0} takes one number, or two, the least and the largest{1}", field,
                            values.size() == 2 ? "" : fmt::format(", got {}", values.size())));
  }
  static bool changes_nothing(const std::vector<double>& values, double still) {
    return values.size() == 1 ? values[0] == 0
                              : values.size() == 2 && values[0] == still && values[1] == still;
  }
};

// What is drawn from; none where nothing is.
struct Range {
  double lowest, highest;
};
std::optional<Range> range_of(const std::vector<double>& values, double still, double least) {
  if (Options::changes_nothing(values, still)) return std::nullopt;
  if (values.size() == 2) return Range{values[0], values[1]};
  return Range{std::max(still - values[0], least), still + values[0]};
}

class ColorJitter : public ImageTransform {
 public:
  ColorJitter(const Options& options, const TransformContext& context)
      : ImageTransform(context),
        ranges_{range_of(options.brightness, 1, 0), range_of(options.contrast, 1, 0),
                range_of(options.saturation, 1, 0), range_of(options.hue, 0, -0.5)} {}

  bool is_random() const override { return true; }
  // In an order that is drawn.
  Image apply(Image image, Draws& draws) const override {
    constexpr std::array<Image (*)(Image, double), 4> kChanges = {
        adjust_brightness, adjust_contrast, adjust_saturation, adjust_hue};
    std::array<size_t, 4> order = {0, 1, 2, 3};
    for (size_t i = 3; i > 0; --i)
      std::swap(order[i], order[static_cast<size_t>(draws.integer(0, static_cast<int64_t>(i)))]);
    for (const size_t which : order) {
      if (const auto& range = ranges_[which])
        image = kChanges[which](std::move(image), draws.between(range->lowest, range->highest));
    }
    return image;
  }

 private:
  std::array<std::optional<Range>, 4> ranges_;
};

VITRINE_REGISTER(Transform, ColorJitter, Options,
                 "changes brightness, contrast, saturation and hue, in any order")

}  // namespace
}  // namespace vitrine
