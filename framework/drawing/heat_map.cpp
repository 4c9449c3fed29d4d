#include "framework/drawing/heat_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace vitrine {
namespace {

uint8_t mix(uint8_t a, uint8_t b, double share) {
  return static_cast<uint8_t>(std::lround(a + (b - a) * share));
}

Colour between(const std::vector<Colour>& stops, double t) {
  const double place = t * static_cast<double>(stops.size() - 1);
  const size_t first = std::min(static_cast<size_t>(place), stops.size() - 2);
  const double share = place - static_cast<double>(first);
  const Colour &a = stops[first], &b = stops[first + 1];
  return {mix(a.red, b.red, share), mix(a.green, b.green, share), mix(a.blue, b.blue, share)};
}

// What is dark below leaves a colour as it is; what is bright takes up to 60 % of it, as grey, so
// that it does not look like another value.
Colour shine_through(Colour over, const uint8_t* pixel, int64_t channels) {
  const int64_t last = channels - 1, middle = std::min<int64_t>(1, last);
  // Luma, ITU-R BT.601
  const double light = 0.299 * pixel[0] + 0.587 * pixel[middle] + 0.114 * pixel[last];
  const auto grey = static_cast<uint8_t>(std::lround(light));
  const double share = 0.6 * light / 255;
  return {mix(over.red, grey, share), mix(over.green, grey, share), mix(over.blue, grey, share)};
}

}  // namespace

Colour Scale::operator()(double value) const {
  static const std::vector<Colour> viridis = {{68, 1, 84},    {71, 44, 122},  {59, 81, 139},
                                              {44, 113, 142}, {33, 144, 141}, {39, 173, 129},
                                              {92, 200, 99},  {170, 220, 50}, {253, 231, 37}};
  static const std::vector<Colour> diverging = {{5, 48, 97},     {33, 102, 172},  {67, 147, 195},
                                                {146, 197, 222}, {247, 247, 247}, {244, 165, 130},
                                                {214, 96, 77},   {178, 24, 43},   {103, 0, 31}};
  const double t = high > low ? std::clamp((value - low) / (high - low), 0.0, 1.0) : 0.5;
  if (!std::isfinite(value) || std::isnan(t)) return kFaint;
  switch (palette) {
    case Palette::kViridis:
      return between(viridis, t);
    case Palette::kDiverging:
      return between(diverging, t);
    case Palette::kGrey:
      break;
  }
  const auto grey = static_cast<uint8_t>(std::lround(255 * t));
  return {grey, grey, grey};
}

Scale scale_of(const Values& values, Palette palette) {
  Scale out{palette, INFINITY, -INFINITY};
  for (const auto& row : values) {
    for (const float value : row) {
      if (!std::isfinite(value)) continue;
      out.low = std::min<double>(out.low, value);
      out.high = std::max<double>(out.high, value);
    }
  }
  if (out.low > out.high) return {palette, 0, 0};
  if (palette == Palette::kViridis) return out;
  out.high = std::max(std::abs(out.low), std::abs(out.high));
  out.low = -out.high;
  return out;
}

std::string note_on_gaps(const Values& values) {
  size_t count = 0;
  for (const auto& row : values)
    count += static_cast<size_t>(
        std::count_if(row.begin(), row.end(), [](float value) { return !std::isfinite(value); }));
  if (count == 0) return "";
  return count == 1 ? "Grey: one value that is no finite number."
                    : fmt::format("Grey: {} values that are no finite numbers.", count);
}

Image heat_map(const Values& values, const Scale& scale) {
  Image out{values.empty() ? 0 : static_cast<int64_t>(values[0].size()),
            static_cast<int64_t>(values.size()),
            3,
            {}};
  out.pixels.reserve(static_cast<size_t>(out.height * out.width * 3));
  for (const auto& row : values) {
    for (const float value : row) {
      const Colour colour = scale(value);
      out.pixels.insert(out.pixels.end(), {colour.red, colour.green, colour.blue});
    }
  }
  return out;
}

Image overlay(const Image& image, const Values& values, const Scale& scale) {
  Image out{image.width, image.height, 3, {}};
  const auto rows = static_cast<int64_t>(values.size());
  const auto columns = static_cast<int64_t>(values.at(0).size());
  for (int64_t y = 0; y < image.height; ++y) {
    const auto& row = values[static_cast<size_t>(y * rows / image.height)];
    for (int64_t x = 0; x < image.width; ++x) {
      const Colour colour = scale(row[static_cast<size_t>(x * columns / image.width)]);
      const uint8_t* pixel =
          &image.pixels[static_cast<size_t>((y * image.width + x) * image.channels)];
      const Colour mixed = shine_through(colour, pixel, image.channels);
      out.pixels.insert(out.pixels.end(), {mixed.red, mixed.green, mixed.blue});
    }
  }
  return out;
}

}  // namespace vitrine
