#pragma once

#include <string_view>

#include "framework/images/image.h"

namespace vitrine {

struct DecodeOptions {
  Colour background = kWhite;  // what is seen through transparent pixels
};

// What the pixels alone do not tell of a file.
struct DecodeNotes {
  bool is_transparent = false;  // the background is seen through some of its pixels
  bool is_animated = false;     // the image is its first frame
};

inline constexpr const char* kReadFormats = "JPEG, PNG and WebP";

// A JPEG, PNG or WebP file, told by its first bytes, as 8-bit grey or RGB: turned upright as its
// EXIF data say, 16 bits rounded to 8, palettes looked up, CMYK mixed, transparency laid over the
// background; of an animation the first frame. Colour profiles and gamma change nothing. Throws
// Error(kData), which begins with `name`, for what is of another format, corrupt, truncated or
// larger than kMaxPixels.
Image decode_image(std::string_view bytes, std::string_view name, const DecodeOptions& options = {},
                   DecodeNotes* notes = nullptr);

}  // namespace vitrine
