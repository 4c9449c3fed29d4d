#pragma once

#include <algorithm>

#include "framework/program/operation.h"

namespace vitrine {

// Outputs of a convolution that are computed together: their inputs stay in the cache.
inline constexpr size_t kConvolvedAtOnce = 56;

// A window of kernel_height x kernel_width that moves over a map of features [height * width,
// channels], which is surrounded by padding.
struct Window {
  size_t height, width, kernel_height, kernel_width, stride_y, stride_x, padding_y, padding_x;

  size_t out_height() const { return (height + 2 * padding_y - kernel_height) / stride_y + 1; }
  size_t out_width() const { return (width + 2 * padding_x - kernel_width) / stride_x + 1; }
  size_t out_size() const { return out_height() * out_width(); }
  // What is wrong with it for so many tokens; empty where nothing is.
  std::string misfit(size_t tokens) const {
    if (tokens != height * width)
      return std::to_string(tokens) + " tokens are no map of " + std::to_string(height) + " x " +
             std::to_string(width);
    const bool fits = kernel_height > 0 && kernel_width > 0 && stride_y > 0 && stride_x > 0 &&
                      kernel_height <= height + 2 * padding_y &&
                      kernel_width <= width + 2 * padding_x;
    return fits ? "" : "the window does not fit into the map";
  }

  // Calls `work(token, place)` for what of the map the window meets at an output; `place` counts
  // within the kernel. What lies in the padding is left out.
  template <class Work>
  void for_each(size_t output, const Work& work) const {
    for_each_row(output, [&](size_t token, size_t place, size_t count) {
      for (size_t i = 0; i < count; ++i) work(token + i, place + i);
    });
  }
  // The same by stretches of neighbouring tokens: `work(token, place, count)`.
  template <class Work>
  void for_each_row(size_t output, const Work& work) const {
    const size_t top = output / out_width() * stride_y, left = output % out_width() * stride_x;
    const size_t begin = left < padding_x ? padding_x - left : 0;
    const size_t end = std::min(kernel_width, width + padding_x - left);
    for (size_t y = 0; y < kernel_height; ++y) {
      const size_t row = top + y;
      if (row < padding_y || row >= height + padding_y || begin >= end) continue;
      work((row - padding_y) * width + left + begin - padding_x, y * kernel_width + begin,
           end - begin);
    }
  }
  // Whether the window reaches into the padding at an output.
  bool is_cut(size_t output) const {
    const size_t top = output / out_width() * stride_y, left = output % out_width() * stride_x;
    return top < padding_y || left < padding_x || top + kernel_height > height + padding_y ||
           left + kernel_width > width + padding_x;
  }
};

}  // namespace vitrine
