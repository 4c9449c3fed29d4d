#include "framework/data/image_source.h"

#include <fmt/format.h>

#include <algorithm>

namespace vitrine {

std::string ImageSource::name(int64_t number) const {
  const std::string path = this->path(number);
  return path.empty() ? fmt::format("image {}", number) : path;
}

std::string ImageSource::contents(int64_t number) const {
  const Image image = read(number);
  return fmt::format("{} {} {}\n", image.channels, image.height, image.width) +
         std::string(image.pixels.begin(), image.pixels.end());
}

void ImageSource::add_to(Sha256& digest, const std::vector<int64_t>& numbers) const {
  std::string planes;
  for (const int64_t number : numbers) {
    const Image image = read(number);
    if (planes.empty()) {
      digest.update(fmt::format("{} images of [{}, {}, {}]\n", numbers.size(), image.channels,
                                image.height, image.width));
    }
    planes.resize(image.pixels.size());
    write_planes(image, reinterpret_cast<uint8_t*>(planes.data()));
    digest.update(planes);
  }
}

void write_planes(const Image& image, uint8_t* out) {
  const int64_t pixels = image.height * image.width;
  const uint8_t* from = image.pixels.data();
  if (image.channels == 1) {
    std::copy_n(from, pixels, out);
  } else if (image.channels == 3) {
    for (int64_t i = 0; i < pixels; ++i) {
      out[i] = from[3 * i];
      out[pixels + i] = from[3 * i + 1];
      out[2 * pixels + i] = from[3 * i + 2];
    }
  } else {
    for (int64_t c = 0; c < image.channels; ++c) {
      for (int64_t i = 0; i < pixels; ++i) out[c * pixels + i] = from[image.channels * i + c];
    }
  }
}

Image image_of(const uint8_t* planes, int64_t channels, int64_t height, int64_t width) {
  const int64_t pixels = height * width;
  Image out;
  out.width = width;
  out.height = height;
  out.channels = channels;
  if (channels == 1) {
    out.pixels.assign(planes, planes + pixels);
    return out;
  }
  out.pixels.resize(static_cast<size_t>(channels * pixels));
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t i = 0; i < pixels; ++i) out.pixels[channels * i + c] = planes[c * pixels + i];
  }
  return out;
}

}  // namespace vitrine
