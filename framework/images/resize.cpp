#include "framework/images/resize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "framework/error.h"
#include "framework/images/resample.h"

namespace vitrine {
namespace {

// Weights of a triangle around an output's centre, as wide as what it stands for.
struct Triangle {
  int64_t first = 0;
  std::vector<double> weights;  // their sum is 1
};

Triangle triangle(int64_t inputs, int64_t outputs, int64_t output) {
  const double scale = static_cast<double>(inputs) / static_cast<double>(outputs);
  const double support = std::max(scale, 1.0), inverse = 1.0 / support;
  const double centre = (static_cast<double>(output) + 0.5) * scale;
  Triangle out;
  out.first = std::max<int64_t>(static_cast<int64_t>(centre - support + 0.5), 0);
  const int64_t end = std::min(static_cast<int64_t>(centre + support + 0.5), inputs);
  double sum = 0;
  for (int64_t i = out.first; i < end; ++i) {
    const double distance = (static_cast<double>(i) - centre + 0.5) * inverse;
    out.weights.push_back(std::max(1.0 - std::abs(distance), 0.0));
    sum += out.weights.back();
  }
  for (double& weight : out.weights) weight /= sum;
  return out;
}

size_t whole_groups(size_t count) {
  return (count + Filter::kGroup - 1) / Filter::kGroup * Filter::kGroup;
}

// Of `count` of the outputs, from `from` on.
Filter make_filter(int64_t inputs, int64_t outputs, int64_t from, int64_t count) {
  std::vector<Triangle> triangles;
  size_t taps = 1;
  for (int64_t i = 0; i < count; ++i) {
    triangles.push_back(triangle(inputs, outputs, from + i));
    taps = std::max(taps, triangles.back().weights.size());
  }
  Filter out;
  out.count = whole_groups(triangles.size());
  out.taps = whole_groups(taps);
  out.weights.resize(2 * out.count * out.taps);
  for (size_t i = 0; i < out.count; ++i) {
    const Triangle& one = triangles[std::min(i, triangles.size() - 1)];
    const int64_t latest = std::max<int64_t>(inputs - static_cast<int64_t>(out.taps), 0);
    const int64_t first = std::min(one.first, latest);
    out.first.push_back(static_cast<int32_t>(first));
    int16_t* to = out.weights.data() + 2 * i * out.taps;
    auto tap = static_cast<size_t>(one.first - first);
    for (const double weight : one.weights) {
      const auto fixed = static_cast<int>(0.5 + weight * (1 << Filter::kBits));
      int16_t* at = to + tap / Filter::kGroup * 2 * Filter::kGroup + tap % Filter::kGroup;
      at[0] = static_cast<int16_t>(fixed >> Filter::kLowBits);
      at[Filter::kGroup] = static_cast<int16_t>(fixed & ((1 << Filter::kLowBits) - 1));
      ++tap;
    }
  }
  return out;
}

[[noreturn]] void refuse(const Image& image, const PixelBox& box, int64_t width, int64_t height) {
  throw Error(
      ExitCode::kFailed,
      fmt::format("cannot make {} x {} pixels of {} x {} from {}, {} of an image of {} x {} "
                  "with {} channels",
                  width, height, box.width, box.height, box.x, box.y, image.width, image.height,
                  image.channels));
}

void check_sizes(const Image& image, const PixelBox& box, int64_t width, int64_t height) {
  const auto fits = [](int64_t from, int64_t size, int64_t whole) {
    return from >= 0 && size >= 1 && size <= whole && from <= whole - size;
  };
  const bool is_whole = image.channels == 1 || image.channels == 3;
  if (!is_whole || !fits(box.x, box.width, image.width) || !fits(box.y, box.height, image.height) ||
      width < 1 || height < 1 || width > kMaxPixels / height ||
      image.pixels.size() != static_cast<size_t>(image.width * image.height * image.channels)) {
    refuse(image, box, width, height);
  }
}

// Scales the box to `width` x `height` and computes the part `wanted` of that alone.
Image scaled(const Image& image, const PixelBox& box, int64_t width, int64_t height,
             const PixelBox& wanted) {
  check_sizes(image, box, width, height);
  const auto channels = static_cast<size_t>(image.channels);
  Filter columns = make_filter(box.height, height, wanted.y, wanted.height);
  const auto out_height = static_cast<size_t>(wanted.height);
  const auto first = static_cast<size_t>(columns.first.front());
  const auto last = static_cast<size_t>(columns.first[out_height - 1]);
  const size_t rows = last + std::min(columns.taps, static_cast<size_t>(box.height)) - first;
  for (int32_t& one : columns.first) one -= static_cast<int32_t>(first);
  const ImageView view = {
      image.pixels.data() +
          ((box.y + static_cast<int64_t>(first)) * image.width + box.x) * image.channels,
      static_cast<size_t>(image.width) * channels,
      static_cast<size_t>(box.width),
      rows,
      channels,
      image.pixels.data() + image.pixels.size()};
  const size_t bytes = static_cast<size_t>(wanted.width) * channels;
  const size_t row = whole_groups(static_cast<size_t>(wanted.width)) * channels + kRowPadding;
  std::vector<uint8_t> narrow(row * rows + kRowPadding);
  if (width == box.width) {
    for (size_t y = 0; y < rows; ++y)
      std::memcpy(&narrow[y * row], view.pixels + y * view.row + wanted.x * image.channels, bytes);
  } else {
    resample_rows(view, make_filter(box.width, width, wanted.x, wanted.width), row, narrow.data());
  }
  Image out{wanted.width, wanted.height, image.channels, {}};
  out.pixels.resize(bytes * out_height);
  resample_columns(narrow.data(), row, rows, bytes, columns, out_height, out.pixels.data());
  return out;
}

int64_t centred(int64_t whole, int64_t part) {
  return static_cast<int64_t>(std::nearbyint(static_cast<double>(whole - part) / 2.0));
}

// The centre of the image at `width` x `height`.
Image centre(const Image& image, int64_t width, int64_t height, int64_t to_width,
             int64_t to_height) {
  check_sizes(image, {0, 0, image.width, image.height}, width, height);
  const PixelBox wanted = {centred(width, to_width), centred(height, to_height), to_width,
                           to_height};
  return scaled(image, {0, 0, image.width, image.height}, width, height, wanted);
}

Image padded(const Image& image, int64_t width, int64_t height, Colour background) {
  const double ratio = static_cast<double>(image.width) / static_cast<double>(image.height);
  const double wanted = static_cast<double>(width) / static_cast<double>(height);
  int64_t inner_width = width, inner_height = height;
  const auto share_of = [](int64_t a, int64_t b, int64_t of) {
    const double share = static_cast<double>(a) / static_cast<double>(b);
    return std::max<int64_t>(static_cast<int64_t>(std::nearbyint(share * static_cast<double>(of))),
                             1);
  };
  if (ratio > wanted) inner_height = share_of(image.height, image.width, width);
  if (ratio < wanted) inner_width = share_of(image.width, image.height, height);
  const Image inner = resize(image, inner_width, inner_height);
  Image around{width, height, 3, {}};
  for (int64_t i = 0; i < width * height; ++i)
    around.pixels.insert(around.pixels.end(), {background.red, background.green, background.blue});
  around = with_channels(std::move(around), image.channels);
  const int64_t x = centred(width, inner_width), y = centred(height, inner_height);
  for (int64_t row = 0; row < inner_height; ++row) {
    std::memcpy(&around.pixels[static_cast<size_t>(((y + row) * width + x) * image.channels)],
                &inner.pixels[static_cast<size_t>(row * inner_width * image.channels)],
                static_cast<size_t>(inner_width * image.channels));
  }
  return around;
}

}  // namespace

Image resize(const Image& image, int64_t width, int64_t height) {
  return resize_box(image, {0, 0, image.width, image.height}, width, height);
}

Image resize_box(const Image& image, const PixelBox& box, int64_t width, int64_t height) {
  return scaled(image, box, width, height, {0, 0, width, height});
}

Image resize(const Image& image, int64_t width, int64_t height, ResizeMode mode, Colour background,
             double crop_ratio) {
  check_sizes(image, {0, 0, image.width, image.height}, width, height);
  if (mode == ResizeMode::kStretch) return resize(image, width, height);
  if (mode == ResizeMode::kPad) return padded(image, width, height, background);
  const auto filled = [&](int64_t side) {
    return static_cast<int64_t>(std::floor(static_cast<double>(side) / crop_ratio));
  };
  const int64_t wide = filled(width), high = filled(height);
  if (image.width * high <= image.height * wide)
    return centre(image, wide, image.height * wide / image.width, width, height);
  return centre(image, image.width * high / image.height, high, width, height);
}

}  // namespace vitrine
