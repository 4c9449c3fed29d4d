#pragma once

#include <string_view>
#include <vector>

// The readers of decode_image. Each throws Error(kData), which begins with `name`.
namespace vitrine {

struct DecodedFile {
  int64_t width = 0, height = 0;
  int64_t channels = 1;         // 1 grey, 2 with alpha; 3 red, green, blue, 4 with alpha
  std::vector<uint8_t> pixels;  // [height, width, channels]
  int orientation = 1;          // of EXIF
  bool is_animated = false;
};

DecodedFile decode_jpeg(std::string_view bytes, std::string_view name);
DecodedFile decode_png(std::string_view bytes, std::string_view name);
DecodedFile decode_webp(std::string_view bytes, std::string_view name);

// The orientation, 1 to 8, that EXIF data tell, with "Exif\0\0" before them or without; 1 where
// they tell none.
int orientation_of(std::string_view exif);

// Throws Error(kData) for sizes beyond kMaxPixels.
void refuse_too_large(int64_t width, int64_t height, std::string_view name);

}  // namespace vitrine
