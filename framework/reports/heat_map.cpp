#include "framework/reports/heat_map.h"

#include <algorithm>
#include <cmath>

namespace vitrine {
namespace {

// The three ramps of matplotlib's "hot": red rises to 1 by 0.365, green from there to 0.746, blue
// after it.
uint8_t ramp(double t, double begin, double end, double low = 0) {
  const double share = std::clamp((t - begin) / (end - begin), 0.0, 1.0);
  return static_cast<uint8_t>(std::lround(255 * (low + (1 - low) * share)));
}

}  // namespace

Image heat_map(const std::vector<std::vector<float>>& values, int64_t scale) {
  float low = INFINITY, high = -INFINITY;
  for (const auto& row : values) {
    for (float value : row) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  Image out;
  out.height = static_cast<int64_t>(values.size()) * scale;
  out.width = values.empty() ? 0 : static_cast<int64_t>(values[0].size()) * scale;
  out.channels = 3;
  out.pixels.reserve(static_cast<size_t>(out.height * out.width * 3));
  for (int64_t y = 0; y < out.height; ++y) {
    for (int64_t x = 0; x < out.width; ++x) {
      const float value = values[static_cast<size_t>(y / scale)][static_cast<size_t>(x / scale)];
      const double t = high > low ? (value - low) / (high - low) : 0;
      out.pixels.push_back(ramp(t, 0, 0.365079, 0.0416));
      out.pixels.push_back(ramp(t, 0.365079, 0.746032));
      out.pixels.push_back(ramp(t, 0.746032, 1));
    }
  }
  return out;
}

}  // namespace vitrine
