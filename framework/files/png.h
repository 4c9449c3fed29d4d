#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine {

// Rows from the top, pixels from the left, channels interleaved: [height, width, channels].
struct Image {
  int64_t width = 0;
  int64_t height = 0;
  int64_t channels = 1;  // 1 grey, 3 red, green, blue
  std::vector<uint8_t> pixels;
};

// Pixels that an image may have, read or written.
inline constexpr int64_t kMaxPixels = 64'000'000;

// Throws Error(kFailed) when the image's sizes do not fit its pixels.
std::string encode_png(const Image& image);

// Any PNG as 8-bit grey or RGB: 16 bits are rounded to 8, palettes looked up, transparency laid
// over black. Throws Error(kData), which begins with `name`, when it is corrupt, truncated or
// larger than kMaxPixels.
Image decode_png(std::string_view bytes, std::string_view name);

}  // namespace vitrine
