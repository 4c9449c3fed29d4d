#include "framework/images/planes.h"

#include "tests/instruction_sets.h"

namespace vitrine {
namespace {

// Every byte tells its place.
Image image_with(int64_t width, int64_t height, int64_t channels) {
  Image out{width, height, channels, {}};
  for (int64_t i = 0; i < width * height * channels; ++i)
    out.pixels.push_back(static_cast<uint8_t>((i * 7 + i / 256) % 256));
  return out;
}

void check_all_sizes() {
  for (const int64_t channels : {1, 2, 3, 4}) {
    for (int64_t width = 1; width <= 150; ++width) {
      const int64_t height = 1 + width % 3, area = width * height;
      CAPTURE(channels, width, height);
      const Image image = image_with(width, height, channels);
      constexpr uint8_t kUntouched = 0xa5;
      std::vector<uint8_t> planes(image.pixels.size() + 1, kUntouched), expected = planes;
      write_planes(image, planes.data());
      for (int64_t i = 0; i < area * channels; ++i)
        expected[static_cast<size_t>(i % channels * area + i / channels)] =
            image.pixels[static_cast<size_t>(i)];
      REQUIRE(planes == expected);
      const Image back = image_of(planes.data(), channels, height, width);
      REQUIRE(back.pixels == image.pixels);
      REQUIRE((back.width == width && back.height == height && back.channels == channels));
    }
  }
}

}  // namespace

TEST_CASE("planes hold the pixels of each channel, whatever the size, and give the image back") {
  with_each_instruction_set(check_all_sizes);
}

}  // namespace vitrine
