#include "framework/images/image.h"

#include <fmt/format.h>

#include <charconv>

namespace vitrine {

std::string too_large(int64_t width, int64_t height) {
  return fmt::format("image of {} x {} pixels, at most {} are allowed", width, height, kMaxPixels);
}

std::optional<Colour> parse_colour(std::string_view text) {
  if (text == "black") return kBlack;
  if (text == "white") return kWhite;
  if (text == "grey" || text == "gray") return Colour{128, 128, 128};
  if (text.size() != 7 || text[0] != '#') return std::nullopt;
  uint32_t value = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + 1, end, value, 16);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return Colour{static_cast<uint8_t>(value >> 16), static_cast<uint8_t>(value >> 8),
                static_cast<uint8_t>(value)};
}

uint8_t luma(int red, int green, int blue) {
  return static_cast<uint8_t>((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16);
}

Image with_channels(Image image, int64_t channels) {
  if (image.channels == channels) return image;
  Image out{image.width, image.height, channels, {}};
  const size_t count = static_cast<size_t>(image.width * image.height);
  out.pixels.resize(count * static_cast<size_t>(channels));
  const uint8_t* from = image.pixels.data();
  uint8_t* to = out.pixels.data();
  for (size_t i = 0; i < count; ++i) {
    if (channels == 1) {
      to[i] = luma(from[3 * i], from[3 * i + 1], from[3 * i + 2]);
    } else {
      to[3 * i] = to[3 * i + 1] = to[3 * i + 2] = from[i];
    }
  }
  return out;
}

Image turned(Image image, int orientation) {
  if (orientation < 2 || orientation > 8) return image;
  const bool swaps = orientation >= 5;
  const bool from_right = orientation == 2 || orientation == 3 || orientation >= 7;
  const bool from_below = orientation == 3 || orientation == 4 || orientation == 6 ||  //
                          orientation == 7;
  Image out{
      swaps ? image.height : image.width, swaps ? image.width : image.height, image.channels, {}};
  out.pixels.reserve(image.pixels.size());
  for (int64_t y = 0; y < out.height; ++y) {
    for (int64_t x = 0; x < out.width; ++x) {
      const int64_t across = swaps ? y : x, down = swaps ? x : y;
      const int64_t column = from_right ? image.width - 1 - across : across;
      const int64_t row = from_below ? image.height - 1 - down : down;
      const auto pixel = image.pixels.begin() + (row * image.width + column) * image.channels;
      out.pixels.insert(out.pixels.end(), pixel, pixel + image.channels);
    }
  }
  return out;
}

}  // namespace vitrine
