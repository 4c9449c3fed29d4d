#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

// Weighted sums of neighbouring pixels, along rows and columns, in integers: the same bits with
// every instruction set.
namespace vitrine {

// What each output along one axis is made of: the inputs from first[i] on, times weights of 22 bits
// after the point.
struct Filter {
  static constexpr size_t kGroup = 4;  // taps, and outputs, that are computed at a time
  static constexpr int kBits = 22, kLowBits = 11;

  size_t count = 0;            // outputs; a multiple of kGroup: those at the end may be of no use
  size_t taps = 0;             // of each output, a multiple of kGroup; some of no weight
  std::vector<int32_t> first;  // first[i] + taps is at most the number of inputs, or first[i] is 0
  // [count][taps / kGroup][2][kGroup]: weight = high * 2^kLowBits + low
  std::vector<int16_t> weights;

  const int16_t* at(size_t output) const { return weights.data() + 2 * output * taps; }
};

// The part of a larger image that is looked at.
struct ImageView {
  const uint8_t* pixels;  // of its first row
  size_t row;             // bytes from one row to the next
  size_t width, height, channels;
  const uint8_t* end;  // of all pixels that may be read
};

// Bytes behind a row that the functions below write or read, whatever they hold.
inline constexpr size_t kRowPadding = 64;

// Each row to `filter.count` pixels; those of `to` are `row` bytes apart, kRowPadding of them
// behind the pixels. Grey or RGB.
void resample_rows(const ImageView& from, const Filter& filter, size_t row, uint8_t* to);
// `rows` rows of `bytes` bytes, `row` apart, kRowPadding behind each, to as many rows without gaps
// as `height` says.
void resample_columns(const uint8_t* from, size_t row, size_t rows, size_t bytes,
                      const Filter& filter, size_t height, uint8_t* to);

}  // namespace vitrine
