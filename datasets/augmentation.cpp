#include "datasets/augmentation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace vitrine {
namespace {

// In the order of torchvision.
enum class Operation {
  kIdentity,
  kShearX,
  kShearY,
  kTranslateX,
  kTranslateY,
  kRotate,
  kBrightness,
  kColour,
  kContrast,
  kSharpness,
  kPosterize,
  kSolarize,
  kAutocontrast,
  kEqualize
};

// torch.linspace, which counts the second half from the end, with its bits.
double spaced(double first, double last, int64_t place, int64_t count) {
  const double from = static_cast<float>(first), to = static_cast<float>(last);
  const double step = static_cast<float>(to - from) / static_cast<float>(count - 1);
  const bool is_second = place >= count / 2;
  return static_cast<float>(is_second ? to - step * static_cast<double>(count - 1 - place)
                                      : from + step * static_cast<double>(place));
}

// How many bits are kept.
int kept_bits(int most_taken, int64_t magnitude, int64_t bins) {
  const auto a_bit = static_cast<float>(static_cast<double>(bins - 1) / most_taken);
  return 8 - static_cast<int>(std::nearbyint(static_cast<float>(magnitude) / a_bit));
}

}  // namespace

void check_has_colours(const TransformContext& images, Check& check) {
  if (images.channels == 1 || images.channels == 3) return;
  check.error({"type"}, fmt::format("it takes grey and RGB images, of 1 or 3 channels, and these "
                                    "have {}",
                                    images.channels));
}

void check_fill(const char* field, const std::vector<int64_t>& values,
                const TransformContext& images, Check& check) {
  if (values.size() == 1 || std::ssize(values) == images.channels) return;
  check.error(
      {field},
      fmt::format("{} takes one value{}, got {}", field,
                  images.channels > 1 ? fmt::format(" or {} (one a channel)", images.channels) : "",
                  values.size()));
}

void check_range(const char* field, const std::vector<double>& range, Check& check) {
  if (range.size() == 2 && range[0] <= range[1]) return;
  check.error({field}, fmt::format("{} takes two numbers, the least and the largest{}", field,
                                   range.size() == 2 ? "" : fmt::format(", got {}", range.size())));
}

Fill fill_of(const std::vector<int64_t>& values, int64_t channels) {
  Fill out(static_cast<size_t>(channels));
  for (size_t c = 0; c < out.size(); ++c)
    out[c] = static_cast<uint8_t>(values[values.size() == 1 ? 0 : c]);
  return out;
}

Image augmented(Image image, int64_t operation, const AugmentationSpace& space, int64_t magnitude,
                int64_t bins, bool backward, const Fill& fill) {
  const auto upto = [&](double most) { return spaced(0, most, magnitude, bins); };
  const auto either = [&](double most) { return backward ? -upto(most) : upto(most); };
  const auto pixels = [&](double most) { return static_cast<int64_t>(either(most)); };
  switch (static_cast<Operation>(operation)) {
    case Operation::kIdentity:
      return image;
    case Operation::kShearX:
      return shear_x(image, either(space.shear), fill);
    case Operation::kShearY:
      return shear_y(image, either(space.shear), fill);
    case Operation::kTranslateX:
      return translate(image, pixels(space.translate_x), 0, fill);
    case Operation::kTranslateY:
      return translate(image, 0, pixels(space.translate_y), fill);
    case Operation::kRotate:
      return rotate(image, either(space.degrees), fill);
    case Operation::kBrightness:
      return adjust_brightness(std::move(image), 1 + either(space.factor));
    case Operation::kColour:
      return adjust_saturation(std::move(image), 1 + either(space.factor));
    case Operation::kContrast:
      return adjust_contrast(std::move(image), 1 + either(space.factor));
    case Operation::kSharpness:
      return adjust_sharpness(image, 1 + either(space.factor));
    case Operation::kPosterize:
      return posterize(std::move(image), kept_bits(space.bits, magnitude, bins));
    case Operation::kSolarize:
      return solarize(std::move(image), spaced(255, 0, magnitude, bins));
    case Operation::kAutocontrast:
      return autocontrast(std::move(image));
    case Operation::kEqualize:
      return equalize(std::move(image));
  }
  return image;
}

}  // namespace vitrine
