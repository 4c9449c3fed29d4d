#pragma once

#include <algorithm>

#include "framework/program/operation.h"

namespace vitrine {

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
                      padding_y < kernel_height && padding_x < kernel_width &&
                      kernel_height <= height + 2 * padding_y &&
                      kernel_width <= width + 2 * padding_x;
    return fits ? "" : "the window does not fit into the map";
  }

  size_t padded_height() const { return height + 2 * padding_y; }
  size_t padded_width() const { return width + 2 * padding_x; }
  bool has_padding() const { return padding_y > 0 || padding_x > 0; }
  // Elements of the map with its padding, or of a row of outputs' terms.
  size_t scratch(size_t channels) const {
    return channels *
           std::max(padded_height() * padded_width(), out_width() * kernel_height * kernel_width);
  }

  // Calls `work(token, place)` for what of the map the window meets at an output; `place` counts
  // within the kernel. What lies in the padding is left out.
  template <class Work>
  void for_each(size_t output, const Work& work) const {
    const size_t top = output / out_width() * stride_y, left = output % out_width() * stride_x;
    const size_t begin = left < padding_x ? padding_x - left : 0;
    const size_t end = std::min(kernel_width, width + padding_x - left);
    for (size_t y = 0; y < kernel_height; ++y) {
      const size_t row = top + y;
      if (row < padding_y || row >= height + padding_y) continue;
      const size_t first = (row - padding_y) * width + left - padding_x;
      for (size_t x = begin; x < end; ++x) work(first + x, y * kernel_width + x);
    }
  }
};

}  // namespace vitrine
