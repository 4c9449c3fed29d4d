#pragma once

#include "framework/images/image.h"

// The images of golden/make_augmentation_golden.py.
namespace vitrine {

inline constexpr int64_t kWidth = 20, kHeight = 14;

inline Image waves(int64_t channels, int64_t width, int64_t height) {
  Image out{width, height, channels, {}};
  for (int64_t i = 0; i < width * height * channels; ++i) {
    const int64_t c = i % channels, x = i / channels % width, y = i / channels / width;
    out.pixels.push_back(
        static_cast<uint8_t>(20 + x * 9 + y * y / 2 + c * 40 + (i * i * 31 + i * 17) % 23));
  }
  return out;
}

}  // namespace vitrine
