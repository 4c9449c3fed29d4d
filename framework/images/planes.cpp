// Compiled once for each instruction set; the best one is picked as the program runs.
#include "framework/images/planes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/images/planes.cpp"
#include "framework/simd/targets.h"
// After it:
#include <hwy/highway.h>

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace vitrine::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// n pixels of three bytes to three planes of n bytes each.
void Part(const uint8_t* pixels, size_t n, uint8_t* planes) {
  uint8_t *red = planes, *green = planes + n, *blue = planes + 2 * n;
  size_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<uint8_t> bytes;
  const size_t lanes = hn::Lanes(bytes);
  for (; i + lanes <= n; i += lanes) {
    hn::Vec<hn::ScalableTag<uint8_t>> r, g, b;
    hn::LoadInterleaved3(bytes, pixels + 3 * i, r, g, b);
    hn::StoreU(r, bytes, red + i);
    hn::StoreU(g, bytes, green + i);
    hn::StoreU(b, bytes, blue + i);
  }
#endif
  for (; i < n; ++i) {
    red[i] = pixels[3 * i];
    green[i] = pixels[3 * i + 1];
    blue[i] = pixels[3 * i + 2];
  }
}

// And back.
void Join(const uint8_t* planes, size_t n, uint8_t* pixels) {
  const uint8_t *red = planes, *green = planes + n, *blue = planes + 2 * n;
  size_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<uint8_t> bytes;
  const size_t lanes = hn::Lanes(bytes);
  for (; i + lanes <= n; i += lanes) {
    hn::StoreInterleaved3(hn::LoadU(bytes, red + i), hn::LoadU(bytes, green + i),
                          hn::LoadU(bytes, blue + i), bytes, pixels + 3 * i);
  }
#endif
  for (; i < n; ++i) {
    pixels[3 * i] = red[i];
    pixels[3 * i + 1] = green[i];
    pixels[3 * i + 2] = blue[i];
  }
}

}  // namespace vitrine::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine {

HWY_EXPORT(Part);
HWY_EXPORT(Join);

void write_planes(const Image& image, uint8_t* out) {
  const size_t pixels = static_cast<size_t>(image.height * image.width);
  const size_t channels = static_cast<size_t>(image.channels);
  const uint8_t* from = image.pixels.data();
  if (channels == 1) {
    std::copy_n(from, pixels, out);
  } else if (channels == 3) {
    HWY_DYNAMIC_DISPATCH(Part)(from, pixels, out);
  } else {
    for (size_t c = 0; c < channels; ++c) {
      for (size_t i = 0; i < pixels; ++i) out[c * pixels + i] = from[channels * i + c];
    }
  }
}

Image image_of(const uint8_t* planes, int64_t channels, int64_t height, int64_t width) {
  const size_t pixels = static_cast<size_t>(height * width), count = static_cast<size_t>(channels);
  Image out{width, height, channels, {}};
  if (channels == 1) {
    out.pixels.assign(planes, planes + pixels);
    return out;
  }
  out.pixels.resize(count * pixels);
  if (channels == 3) {
    HWY_DYNAMIC_DISPATCH(Join)(planes, pixels, out.pixels.data());
    return out;
  }
  for (size_t c = 0; c < count; ++c) {
    for (size_t i = 0; i < pixels; ++i) out.pixels[count * i + c] = planes[c * pixels + i];
  }
  return out;
}

}  // namespace vitrine
#endif
