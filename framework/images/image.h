#pragma once

#include <cstdint>
#include <optional>
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
// "image of 9000 x 9000 pixels, at most 64000000 are allowed"
std::string too_large(int64_t width, int64_t height);

struct Colour {
  uint8_t red = 0, green = 0, blue = 0;

  bool operator==(const Colour&) const = default;
  bool is_grey() const { return red == green && green == blue; }
};
inline constexpr Colour kBlack{0, 0, 0}, kWhite{255, 255, 255};

// "black", "grey", "white" or "#RRGGBB"; nothing for other texts.
std::optional<Colour> parse_colour(std::string_view text);
inline constexpr const char* kColourWords = "black, grey, white or #RRGGBB";

// ITU-R BT.601 in fixed point, as Pillow's convert("L") has it.
uint8_t luma(int red, int green, int blue);
// The image in grey (1) or colour (3).
Image with_channels(Image image, int64_t channels);

// Upright, where the top left corner is where EXIF's orientation (1 to 8) says.
Image turned(Image image, int orientation);

}  // namespace vitrine
