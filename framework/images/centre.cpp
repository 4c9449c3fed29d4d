#include "framework/images/centre.h"

#include <algorithm>
#include <cmath>

#include "framework/images/resize.h"

namespace vitrine {
namespace {

// How far from the ground, in median distances of the frame's pixels, noise reaches.
constexpr int kNoise = 6;

int median(std::vector<int> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::vector<int> frame_of(const Image& image) {
  std::vector<int> out;
  for (int64_t y = 0; y < image.height; ++y) {
    const bool is_edge = y == 0 || y == image.height - 1;
    const int64_t step = is_edge ? 1 : std::max<int64_t>(image.width - 1, 1);
    for (int64_t x = 0; x < image.width; x += step)
      out.push_back(image.pixels[static_cast<size_t>(y * image.width + x)]);
  }
  return out;
}

// The image with a black ground.
Image on_black(Image image) {
  std::vector<int> frame = frame_of(image);
  const int ground = median(frame);
  for (int& value : frame) value = std::abs(value - ground);
  const int least = ground + kNoise * median(std::move(frame));
  for (uint8_t& pixel : image.pixels) {
    const int share = pixel > least ? (pixel - ground) * 255 / (255 - ground) : 0;
    pixel = static_cast<uint8_t>(share);
  }
  return image;
}

// Around all that is not black; empty where nothing is.
PixelBox box_of(const Image& image) {
  int64_t left = image.width, right = -1, top = image.height, bottom = -1;
  for (int64_t y = 0; y < image.height; ++y) {
    for (int64_t x = 0; x < image.width; ++x) {
      if (image.pixels[static_cast<size_t>(y * image.width + x)] == 0) continue;
      left = std::min(left, x);
      right = std::max(right, x);
      top = std::min(top, y);
      bottom = y;
    }
  }
  return right < 0 ? PixelBox{} : PixelBox{left, top, right - left + 1, bottom - top + 1};
}

// Where the digit must begin for its centre of mass to be in the middle: in MNIST it is from 13.5
// to below 14.5.
int64_t shift_of(double weighted, double mass, int64_t size) {
  return std::lround(std::ceil(static_cast<double>(size) / 2 - weighted / mass - 0.5));
}

}  // namespace

Image centred_digit(const Image& image, int64_t width, int64_t height) {
  Image out{width, height, 1, std::vector<uint8_t>(static_cast<size_t>(width * height))};
  const Image clean = on_black(image);
  const PixelBox box = box_of(clean);
  if (box.width == 0) return out;
  const double side = std::nearbyint(static_cast<double>(std::min(width, height)) * 20 / 28);
  const double scale = std::max(side, 1.0) / static_cast<double>(std::max(box.width, box.height));
  const auto scaled = [&](int64_t length) {
    return std::max<int64_t>(std::lround(static_cast<double>(length) * scale), 1);
  };
  const Image digit = resize_box(clean, box, scaled(box.width), scaled(box.height));
  double mass = 0, across = 0, down = 0;
  const auto at = [&](int64_t x, int64_t y) {
    return digit.pixels[static_cast<size_t>(y * digit.width + x)];
  };
  for (int64_t y = 0; y < digit.height; ++y) {
    for (int64_t x = 0; x < digit.width; ++x) {
      mass += at(x, y);
      across += at(x, y) * static_cast<double>(x);
      down += at(x, y) * static_cast<double>(y);
    }
  }
  if (mass == 0) return out;  // scaled away
  const int64_t left = shift_of(across, mass, width), top = shift_of(down, mass, height);
  for (int64_t y = std::max<int64_t>(-top, 0); y < std::min(digit.height, height - top); ++y) {
    for (int64_t x = std::max<int64_t>(-left, 0); x < std::min(digit.width, width - left); ++x)
      out.pixels[static_cast<size_t>((top + y) * width + left + x)] = at(x, y);
  }
  return out;
}

}  // namespace vitrine
