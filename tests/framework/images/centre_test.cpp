#include "framework/images/centre.h"

#include <numeric>

#include "framework/images/resize.h"
#include "tests/catch.h"

namespace vitrine {
namespace {

// A light bar on a ground.
Image bar(int64_t width, int64_t height, const PixelBox& box, uint8_t light, uint8_t ground) {
  Image image{width, height, 1, {}};
  image.pixels.assign(static_cast<size_t>(width * height), ground);
  for (int64_t y = box.y; y < box.y + box.height; ++y) {
    for (int64_t x = box.x; x < box.x + box.width; ++x)
      image.pixels[static_cast<size_t>(y * width + x)] = light;
  }
  return image;
}

TEST_CASE("centre: a digit becomes 20 pixels of 28 long, its mass in the middle") {
  const Image expected = bar(28, 28, {12, 4, 4, 20}, 255, 0);
  CHECK(centred_digit(bar(300, 200, {250, 10, 20, 100}, 255, 0), 28, 28).pixels == expected.pixels);
  CHECK(centred_digit(bar(28, 28, {1, 8, 2, 10}, 255, 0), 28, 28).pixels == expected.pixels);
  const Image wide = bar(56, 42, {13, 18, 30, 6}, 255, 0);
  CHECK(centred_digit(bar(90, 90, {0, 0, 10, 2}, 255, 0), 56, 42).pixels == wide.pixels);
}

TEST_CASE("centre: the middle is the centre of mass, not of the box") {
  Image image = bar(28, 28, {4, 4, 20, 4}, 255, 0);  // a bar with a thin foot below its left end
  for (int64_t y = 8; y < 24; ++y) image.pixels[static_cast<size_t>(y * 28 + 4)] = 255;
  const Image centred = centred_digit(image, 28, 28);
  double mass = 0, across = 0, down = 0;
  for (int64_t y = 0; y < 28; ++y) {
    for (int64_t x = 0; x < 28; ++x) {
      const double value = centred.pixels[static_cast<size_t>(y * 28 + x)];
      mass += value;
      across += value * static_cast<double>(x);
      down += value * static_cast<double>(y);
    }
  }
  CHECK(std::abs(across / mass - 14) <= 0.5);
  CHECK(std::abs(down / mass - 14) <= 0.5);
  CHECK(centred_digit(centred, 28, 28).pixels == centred.pixels);
}

TEST_CASE("centre: the ground becomes black, noise in it too") {
  Image image = bar(100, 100, {10, 20, 8, 40}, 255, 50);
  for (size_t i = 0; i < image.pixels.size(); i += 3) image.pixels[i] ^= 1;
  for (size_t i = 0; i < image.pixels.size(); i += 2) image.pixels[i] ^= 2;
  const Image centred = centred_digit(image, 28, 28);
  const Image expected = bar(28, 28, {12, 4, 4, 20}, 255, 0);
  for (size_t i = 0; i < expected.pixels.size(); ++i) {
    INFO(i);
    CHECK(std::abs(centred.pixels[i] - expected.pixels[i]) <= 3);
  }
}

TEST_CASE("centre: of an image of one value nothing is left") {
  CHECK(centred_digit(bar(9, 9, {}, 0, 200), 28, 28).pixels == std::vector<uint8_t>(784));
  CHECK(centred_digit(bar(1, 1, {}, 0, 0), 5, 5).pixels == std::vector<uint8_t>(25));
}

}  // namespace
}  // namespace vitrine
