#include "datasets/image_operations.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <type_traits>
#include <utility>

namespace vitrine {
namespace {

using Table = std::array<uint8_t, 256>;

// `over` with the share `factor` of `value`.
uint8_t blended(uint8_t over, uint8_t value, float factor) {
  const float sum = static_cast<float>(over) +
                    factor * static_cast<float>(static_cast<int>(value) - static_cast<int>(over));
  return static_cast<uint8_t>(std::min(std::max(sum, 0.0F), 255.0F));
}

Table table_of(auto&& value) {
  Table out;
  for (int i = 0; i < 256; ++i) out[static_cast<size_t>(i)] = static_cast<uint8_t>(value(i));
  return out;
}

Image by_table(Image image, const Table& table) {
  for (uint8_t& value : image.pixels) value = table[value];
  return image;
}

using Histogram = std::array<int64_t, 256>;

// Each channel by a table that follows from its histogram.
Image by_histograms(Image image, auto&& table_of_histogram) {
  const auto channels = static_cast<size_t>(image.channels);
  for (size_t c = 0; c < channels; ++c) {
    Histogram histogram{};
    for (size_t i = c; i < image.pixels.size(); i += channels) ++histogram[image.pixels[i]];
    const Table table = table_of_histogram(histogram);
    for (size_t i = c; i < image.pixels.size(); i += channels)
      image.pixels[i] = table[image.pixels[i]];
  }
  return image;
}

uint8_t same(int value) { return static_cast<uint8_t>(value); }

// Where a hue stands between two of the six pure colours.
struct Hue {
  int sixth;
  float rest;
};

const std::array<Hue, 256>& hues() {
  static const std::array<Hue, 256> table = [] {
    std::array<Hue, 256> out;
    for (int h = 0; h < 256; ++h) {
      const double place = h * 6.0 / 255.0;
      const int sixth = static_cast<int>(place);
      out[static_cast<size_t>(h)] = {sixth % 6, static_cast<float>(place - sixth)};
    }
    return out;
  }();
  return table;
}

// Bytes of HSV (Smith 1978, "Color Gamut Transform Pairs"), rounded as Pillow does.
struct Hsv {
  uint8_t hue = 0, saturation = 0, value = 0;
};

Hsv hsv_of(const uint8_t* pixel) {
  const int red = pixel[0], green = pixel[1], blue = pixel[2];
  const int most = std::max({red, green, blue}), least = std::min({red, green, blue});
  if (most == least) return {0, 0, same(most)};
  const auto range = static_cast<float>(most - least);
  const auto below = [&](int value) { return static_cast<float>(most - value) / range; };
  const float r = below(red), g = below(green), b = below(blue);
  const auto sixths = static_cast<float>(red == most     ? b - g
                                         : green == most ? 2.0 + r - b
                                                         : 4.0 + g - r);
  double turn = sixths / 6.0 + 1.0;
  if (turn >= 1) turn -= 1;
  const float saturation = range / static_cast<float>(most);
  return {same(static_cast<int>(static_cast<float>(turn) * 255.0)),
          same(static_cast<int>(saturation * 255.0)), same(most)};
}

void write_rgb(const Hsv& hsv, uint8_t* out) {
  const double value = hsv.value, saturation = static_cast<float>(hsv.saturation / 255.0);
  const auto [sixth, rest] = hues()[hsv.hue];
  const auto part = [&](double of_saturation) {
    return static_cast<uint8_t>(value * (1.0 - saturation * of_saturation) + 0.5);
  };
  const uint8_t v = hsv.value, least = part(1), falling = part(rest), rising = part(1.0 - rest);
  const std::array<std::array<uint8_t, 3>, 6> colours = {{{v, rising, least},
                                                          {falling, v, least},
                                                          {least, v, rising},
                                                          {least, falling, v},
                                                          {rising, least, v},
                                                          {v, least, falling}}};
  std::copy_n(colours[static_cast<size_t>(sixth)].data(), 3, out);
}

// 3 x 3 weights of 1 around 5; the outermost pixels stay.
Image smoothed(const Image& image) {
  Image out = image;
  const auto channels = static_cast<size_t>(image.channels);
  const size_t row = static_cast<size_t>(image.width) * channels;
  if (image.width < 3 || image.height < 3) return out;
  for (size_t y = 1; y + 1 < static_cast<size_t>(image.height); ++y) {
    const uint8_t* middle = image.pixels.data() + y * row;
    const uint8_t *above = middle - row, *below = middle + row;
    uint8_t* to = out.pixels.data() + y * row;
    for (size_t i = channels; i < row - channels; ++i) {
      const size_t left = i - channels, right = i + channels;
      const uint32_t sum = above[left] + above[i] + above[right] + middle[left] + 5U * middle[i] +
                           middle[right] + below[left] + below[i] + below[right];
      to[i] = static_cast<uint8_t>((2 * sum + 13) / 26);
    }
  }
  return out;
}

// Calls `act` with the number of channels, as a constant where it is a usual one.
void for_channels(int64_t channels, auto&& act) {
  if (channels == 1) return act(std::integral_constant<size_t, 1>());
  if (channels == 3) return act(std::integral_constant<size_t, 3>());
  act(static_cast<size_t>(channels));
}

Image transposed(const Image& image) {
  Image out{image.height, image.width, image.channels, {}};
  out.pixels.resize(image.pixels.size());
  for_channels(image.channels, [&](auto channels) {
    const auto row = static_cast<size_t>(image.height) * channels;
    const uint8_t* from = image.pixels.data();
    for (int64_t y = 0; y < image.height; ++y) {
      uint8_t* to = out.pixels.data() + static_cast<size_t>(y) * channels;
      for (int64_t x = 0; x < image.width; ++x, to += row, from += channels) {
        for (size_t c = 0; c < channels; ++c) to[c] = from[c];
      }
    }
  });
  return out;
}

// A mean over 2 radius + 1 pixels of a column, of which the outer two count in part. In fixed point
// with 24 bits after the point.
class BoxBlur {
 public:
  explicit BoxBlur(float radius) : whole_(static_cast<int64_t>(radius)) {
    weight_ = static_cast<uint32_t>(static_cast<float>(1U << 24) / (radius * 2 + 1));
    far_weight_ = ((1U << 24) - static_cast<uint32_t>(2 * whole_ + 1) * weight_) / 2;
  }

  Image of_columns(const Image& image) const {
    Image out = image;
    const auto row = static_cast<size_t>(image.width * image.channels);
    const auto at = [&](int64_t y) {
      return image.pixels.data() +
             row * static_cast<size_t>(std::clamp<int64_t>(y, 0, image.height - 1));
    };
    std::vector<uint32_t> sums(row);
    for (int64_t y = -whole_; y <= whole_; ++y) {
      for (size_t i = 0; i < row; ++i) sums[i] += at(y)[i];
    }
    for (int64_t y = 0; y < image.height; ++y) {
      const uint8_t *before = at(y - whole_ - 1), *behind = at(y + whole_ + 1);
      const uint8_t* first = at(y - whole_);
      uint8_t* to = out.pixels.data() + row * static_cast<size_t>(y);
      for (size_t i = 0; i < row; ++i) {
        const uint32_t ends = static_cast<uint32_t>(before[i]) + behind[i];
        to[i] = static_cast<uint8_t>((sums[i] * weight_ + ends * far_weight_ + (1U << 23)) >> 24);
        sums[i] += static_cast<uint32_t>(behind[i]) - first[i];
      }
    }
    return out;
  }

 private:
  int64_t whole_;
  uint32_t weight_, far_weight_;
};

constexpr int kBlurs = 3;

// The radius of the box, of which so many in a row have the deviation of a Gaussian: Gwosdek et al.
// 2011, "Theoretical Foundations of Gaussian Convolution by Extended Box Filtering".
float box_radius(float deviation) {
  const float variance = deviation * deviation / kBlurs;
  const auto length = static_cast<float>(std::sqrt(12.0 * variance + 1.0));
  const auto whole = static_cast<float>(std::floor((length - 1.0) / 2.0));
  const float part = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
  return whole + part / (6 * (variance - (whole + 1) * (whole + 1)));
}

Image filled(const Image& like, int64_t width, int64_t height, const Fill& fill) {
  Image out{width, height, like.channels, {}};
  const auto row = static_cast<size_t>(width * like.channels);
  out.pixels.assign(row * static_cast<size_t>(height), fill[0]);
  if (std::count(fill.begin(), fill.end(), fill[0]) == std::ssize(fill)) return out;
  for (size_t i = 0; i < row; ++i) out.pixels[i] = fill[i % fill.size()];
  for (size_t i = row; i < out.pixels.size(); i += row)
    std::copy_n(out.pixels.begin(), row, out.pixels.begin() + static_cast<std::ptrdiff_t>(i));
  return out;
}

// Where a pixel comes from: (xx x + xy y + x0, yx x + yy y + y0).
struct Inverse {
  double xx, xy, x0, yx, yy, y0;
};

// In fixed point with 16 bits after the point; taken is the pixel that the middle of one falls in.
Image mapped(const Image& image, const Inverse& inverse, const Fill& fill) {
  const auto fixed = [](double value) {
    return static_cast<int64_t>(std::floor(value * 65536.0 + 0.5));
  };
  const int64_t xx = fixed(inverse.xx), xy = fixed(inverse.xy), yx = fixed(inverse.yx),
                yy = fixed(inverse.yy);
  int64_t row_x = fixed(inverse.x0 + inverse.xx * 0.5 + inverse.xy * 0.5),
          row_y = fixed(inverse.y0 + inverse.yx * 0.5 + inverse.yy * 0.5);
  Image out = filled(image, image.width, image.height, fill);
  const auto width = static_cast<uint64_t>(image.width);
  const auto height = static_cast<uint64_t>(image.height);
  for_channels(image.channels, [&](auto channels) {
    uint8_t* to = out.pixels.data();
    for (uint64_t row = 0; row < height; ++row, row_x += xy, row_y += yy) {
      int64_t x = row_x, y = row_y;
      for (uint64_t column = 0; column < width; ++column, x += xx, y += yx, to += channels) {
        const auto from_x = static_cast<uint64_t>(x >> 16), from_y = static_cast<uint64_t>(y >> 16);
        if (from_x >= width || from_y >= height) continue;
        const uint8_t* from = image.pixels.data() + (from_y * width + from_x) * channels;
        for (size_t c = 0; c < channels; ++c) to[c] = from[c];
      }
    }
  });
  return out;
}

// The place within [0, size) that stands for `place` outside.
int64_t within(int64_t place, int64_t size, PadMode mode) {
  if (mode == PadMode::kEdge || size == 1) return std::clamp<int64_t>(place, 0, size - 1);
  const int64_t period = mode == PadMode::kReflect ? 2 * size - 2 : 2 * size;
  const int64_t turn = ((place % period) + period) % period;
  if (turn < size) return turn;
  return mode == PadMode::kReflect ? period - turn : period - 1 - turn;
}

}  // namespace

Image to_grey(Image image) {
  if (image.channels == 1) return image;
  return with_channels(with_channels(std::move(image), 1), 3);
}

Image adjust_brightness(Image image, double factor) {
  return by_table(std::move(image), table_of([&](int value) {
                    return blended(0, same(value), static_cast<float>(factor));
                  }));
}

Image adjust_contrast(Image image, double factor) {
  const Image grey = with_channels(image, 1);
  uint64_t sum = 0;
  for (const uint8_t value : grey.pixels) sum += value;
  const double mean = static_cast<double>(sum) / static_cast<double>(grey.pixels.size());
  const uint8_t over = same(static_cast<int>(mean + 0.5));
  return by_table(std::move(image), table_of([&](int value) {
                    return blended(over, same(value), static_cast<float>(factor));
                  }));
}

Image adjust_saturation(Image image, double factor) {
  if (image.channels == 1) return image;
  const Image grey = with_channels(image, 1);
  const auto share = static_cast<float>(factor);
  uint8_t* pixel = image.pixels.data();
  for (const uint8_t over : grey.pixels) {
    for (int c = 0; c < 3; ++c, ++pixel) *pixel = blended(over, *pixel, share);
  }
  return image;
}

Image adjust_hue(Image image, double share) {
  if (image.channels == 1) return image;
  const auto turn = static_cast<uint8_t>(static_cast<int>(share * 255));
  for (size_t i = 0; i < image.pixels.size(); i += 3) {
    Hsv hsv = hsv_of(image.pixels.data() + i);
    hsv.hue = static_cast<uint8_t>(hsv.hue + turn);
    write_rgb(hsv, image.pixels.data() + i);
  }
  return image;
}

Image posterize(Image image, int bits) {
  const int mask = 0xff << (8 - bits);
  return by_table(std::move(image), table_of([&](int value) { return value & mask; }));
}

Image solarize(Image image, double threshold) {
  return by_table(std::move(image),
                  table_of([&](int value) { return value < threshold ? value : 255 - value; }));
}

Image autocontrast(Image image) {
  return by_histograms(std::move(image), [](const Histogram& histogram) {
    int lowest = 0, highest = 255;
    while (lowest < 255 && histogram[static_cast<size_t>(lowest)] == 0) ++lowest;
    while (highest > 0 && histogram[static_cast<size_t>(highest)] == 0) --highest;
    if (highest <= lowest) return table_of(same);
    const double scale = 255.0 / (highest - lowest), offset = -lowest * scale;
    return table_of(
        [&](int value) { return std::clamp(static_cast<int>(value * scale + offset), 0, 255); });
  });
}

Image equalize(Image image) {
  return by_histograms(std::move(image), [](const Histogram& histogram) {
    int64_t pixels = 0, last = 0;
    for (const int64_t count : histogram) {
      pixels += count;
      if (count > 0) last = count;
    }
    const int64_t step = (pixels - last) / 255;
    if (step == 0) return table_of(same);
    int64_t sum = step / 2;
    return table_of([&](int value) {
      const int64_t here = sum / step;
      sum += histogram[static_cast<size_t>(value)];
      return std::min<int64_t>(here, 255);
    });
  });
}

Image adjust_sharpness(const Image& image, double factor) {
  Image out = smoothed(image);
  const auto share = static_cast<float>(factor);
  for (size_t i = 0; i < out.pixels.size(); ++i)
    out.pixels[i] = blended(out.pixels[i], image.pixels[i], share);
  return out;
}

Image gaussian_blur(Image image, double radius) {
  if (radius == 0) return image;
  const BoxBlur blur(box_radius(static_cast<float>(radius)));
  for (int way = 0; way < 2; ++way) {  // the rows first
    image = transposed(image);
    for (int i = 0; i < kBlurs; ++i) image = blur.of_columns(image);
  }
  return image;
}

Image flip_horizontally(Image image) {
  for_channels(image.channels, [&](auto channels) {
    const auto row = static_cast<size_t>(image.width) * channels;
    for (size_t first = 0; first < image.pixels.size(); first += row) {
      uint8_t *left = image.pixels.data() + first, *right = left + row - channels;
      for (; left < right; left += channels, right -= channels) {
        for (size_t c = 0; c < channels; ++c) std::swap(left[c], right[c]);
      }
    }
  });
  return image;
}

Image flip_vertically(Image image) {
  const int64_t row = image.width * image.channels;
  uint8_t* top = image.pixels.data();
  uint8_t* bottom = top + (image.height - 1) * row;
  for (; top < bottom; top += row, bottom -= row) std::swap_ranges(top, top + row, bottom);
  return image;
}

Image translate(const Image& image, int64_t right, int64_t down, const Fill& fill) {
  return crop(image, -right, -down, image.width, image.height, PadMode::kConstant, fill);
}

Image shear_x(const Image& image, double slope, const Fill& fill) {
  return mapped(image, {1, slope, 0, 0, 1, 0}, fill);
}

Image shear_y(const Image& image, double slope, const Fill& fill) {
  return mapped(image, {1, 0, 0, slope, 1, 0}, fill);
}

Image rotate(const Image& image, double degrees, const Fill& fill) {
  // Quarter turns are exact where cosines of them are 0.
  const auto rounded = [](double value) { return std::round(value * 1e15) / 1e15; };
  const double angle = -degrees * (std::numbers::pi / 180);
  const double cosine = rounded(std::cos(angle)), sine = rounded(std::sin(angle));
  const double x = static_cast<double>(image.width) / 2, y = static_cast<double>(image.height) / 2;
  return mapped(
      image,
      {cosine, sine, cosine * -x + sine * -y + x, -sine, cosine, -sine * -x + cosine * -y + y},
      fill);
}

Image crop(const Image& image, int64_t x, int64_t y, int64_t width, int64_t height, PadMode mode,
           const Fill& fill) {
  Image out = filled(image, width, height, fill);
  const int64_t channels = image.channels;
  const bool is_filled = mode == PadMode::kConstant;
  // Columns of the result that lie within the image.
  const int64_t first = std::clamp<int64_t>(-x, 0, width);
  const int64_t last = std::clamp<int64_t>(image.width - x, first, width);
  for (int64_t row = 0; row < height; ++row) {
    const bool is_outside = y + row < 0 || y + row >= image.height;
    if (is_filled && is_outside) continue;
    const int64_t from_row = is_filled ? y + row : within(y + row, image.height, mode);
    const uint8_t* from = image.pixels.data() + from_row * image.width * channels;
    uint8_t* to = out.pixels.data() + row * width * channels;
    if (last > first)
      std::copy_n(from + (x + first) * channels, (last - first) * channels, to + first * channels);
    for (int64_t column = 0; !is_filled && column < width; ++column) {
      if (column == first && last > first) column = last;
      if (column >= width) break;
      std::copy_n(from + within(x + column, image.width, mode) * channels, channels,
                  to + column * channels);
    }
  }
  return out;
}

}  // namespace vitrine
