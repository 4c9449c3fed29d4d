// Compiled once for each instruction set; the best one is picked as the program runs.
#include "framework/images/resample.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/images/resample.cpp"
#include "framework/simd/targets.h"
// After it:
#include <hwy/highway.h>

#include <algorithm>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace vitrine::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kTaps = Filter::kGroup;
constexpr int32_t kHalf = 1 << (Filter::kBits - 1);

#if HWY_TARGET == HWY_SCALAR

uint8_t sum_of(const uint8_t* from, size_t step, const int16_t* weights, size_t taps) {
  int32_t sum = kHalf;
  for (size_t i = 0; i < taps; ++i) {
    const int16_t* at = weights + i / kTaps * 2 * kTaps + i % kTaps;
    sum += (at[0] * (1 << Filter::kLowBits) + at[kTaps]) * from[i * step];
  }
  return static_cast<uint8_t>(std::min(sum >> Filter::kBits, 255));
}

void filter_all_rows(const ImageView& from, const Filter& filter, size_t row, uint8_t* to) {
  const size_t c = from.channels, taps = std::min(filter.taps, from.width);
  for (size_t y = 0; y < from.height; ++y) {
    const uint8_t* pixels = from.pixels + y * from.row;
    for (size_t i = 0; i < filter.count * c; ++i) {
      const size_t x = i / c, at = static_cast<size_t>(filter.first[x]) * c + i % c;
      to[y * row + i] = sum_of(pixels + at, c, filter.at(x), taps);
    }
  }
}

void filter_row(const uint8_t* from, size_t row, size_t bytes, const int16_t* weights, size_t taps,
                size_t, uint8_t* to) {
  for (size_t x = 0; x < bytes; ++x) to[x] = sum_of(from + x, row, weights, taps);
}

#else

// Blocks of 16 bytes, in which rows, or stretches of one, are computed side by side. Beyond two
// nothing is gained.
const hn::CappedTag<uint8_t, 32> kBytes;
const hn::RepartitionToWide<decltype(kBytes)> kShorts;
const hn::RepartitionToWide<decltype(kShorts)> kWords;
using Bytes = hn::Vec<decltype(kBytes)>;
using Shorts = hn::Vec<hn::RebindToSigned<decltype(kShorts)> >;
using Words = hn::Vec<hn::RebindToSigned<decltype(kWords)> >;
const hn::RebindToSigned<decltype(kShorts)> kSignedShorts;
const hn::RebindToSigned<decltype(kWords)> kSignedWords;
constexpr size_t kBlocks = hn::MaxLanes(decltype(kBytes)()) / 16;

// A pair of weights, in all lanes.
HWY_INLINE Shorts pair(const int16_t* weights) {
  int32_t both;
  std::memcpy(&both, weights, sizeof both);
  return hn::BitCast(kSignedShorts, hn::Set(kSignedWords, both));
}

// Four sums, a lane each of a block.
struct Sum {
  Words high, low, high_rest, low_rest;

  // Adds pairs of inputs times a pair of weights.
  HWY_INLINE void add(Bytes inputs, const int16_t* weights) {
    const Shorts x = hn::BitCast(kSignedShorts, inputs);
    high = hn::ReorderWidenMulAccumulate(kSignedWords, x, pair(weights), high, high_rest);
    low = hn::ReorderWidenMulAccumulate(kSignedWords, x, pair(weights + kTaps), low, low_rest);
  }
  // Rounded, 0 to 255.
  HWY_INLINE Words get() const {
    const Words above = hn::RearrangeToOddPlusEven(high, high_rest);
    const Words below = hn::RearrangeToOddPlusEven(low, low_rest);
    const Words both = hn::Add(hn::ShiftLeft<Filter::kLowBits>(above), below);
    const Words sum = hn::Add(both, hn::Set(kSignedWords, kHalf));
    return hn::Min(hn::ShiftRight<Filter::kBits>(sum), hn::Set(kSignedWords, 255));
  }
};

HWY_INLINE Sum zero_sum() {
  const Words zero = hn::Zero(kSignedWords);
  return {zero, zero, zero, zero};
}

// In each block the bytes of four sums, put in the order of `places`: 4 * lane + sum.
HWY_INLINE Bytes joined(const Words* sums, Bytes places) {
  const Words left = hn::Or(sums[0], hn::ShiftLeft<8>(sums[1]));
  const Words right = hn::Or(hn::ShiftLeft<16>(sums[2]), hn::ShiftLeft<24>(sums[3]));
  return hn::TableLookupBytesOr0(hn::BitCast(kBytes, hn::Or(left, right)), places);
}

constexpr uint8_t kNone = 0x80;
// Where the bytes of pixels go: each channel's of two pixels to one lane, zeros between them, so
// that they are pairs of 16 bits; and back from four sums to four pixels.
template <size_t C>
struct Places;
template <>
struct Places<3> {
  static constexpr uint8_t kPair[16] = {0, kNone, 3, kNone, 1,     kNone, 4,     kNone,
                                        2, kNone, 5, kNone, kNone, kNone, kNone, kNone};
  static constexpr uint8_t kPixels[16] = {0,  4, 8, 1,  5,     9,     2,     6,
                                          10, 3, 7, 11, kNone, kNone, kNone, kNone};
};
template <>
struct Places<4> {
  static constexpr uint8_t kPair[16] = {0, kNone, 4, kNone, 1, kNone, 5, kNone,
                                        2, kNone, 6, kNone, 3, kNone, 7, kNone};
  static constexpr uint8_t kPixels[16] = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
};

// 16 bytes at the same place of each of kBlocks rows, a block each.
HWY_INLINE Bytes load(const uint8_t* const* rows, size_t at) {
  if constexpr (kBlocks == 1) {
    return hn::LoadU(kBytes, rows[0] + at);
  } else {
    const hn::Half<decltype(kBytes)> half;
    return hn::Combine(kBytes, hn::LoadU(half, rows[1] + at), hn::LoadU(half, rows[0] + at));
  }
}

HWY_INLINE void store(Bytes value, uint8_t* const* rows, size_t at) {
  if constexpr (kBlocks == 1) {
    hn::StoreU(value, kBytes, rows[0] + at);
  } else {
    const hn::Half<decltype(kBytes)> half;
    hn::StoreU(hn::LowerHalf(half, value), half, rows[0] + at);
    hn::StoreU(hn::UpperHalf(half, value), half, rows[1] + at);
  }
}

// kBlocks rows of pixels of C channels.
template <size_t C>
void filter_rows(const uint8_t* const* from, const Filter& filter, uint8_t* const* to) {
  const Bytes first_pair = hn::LoadDup128(kBytes, Places<C>::kPair);
  const Bytes second_pair = hn::Add(first_pair, hn::Set(kBytes, uint8_t{2 * C}));
  const Bytes places = hn::LoadDup128(kBytes, Places<C>::kPixels);
  const int16_t* weights = filter.weights.data();
  for (size_t x = 0; x < filter.count; x += 4) {
    Words sums[4];
    for (size_t i = 0; i < 4; ++i) {
      Sum sum = zero_sum();
      size_t at = static_cast<size_t>(filter.first[x + i]) * C;
      for (size_t tap = 0; tap < filter.taps; tap += kTaps, weights += 2 * kTaps, at += kTaps * C) {
        const Bytes pixels = load(from, at);
        sum.add(hn::TableLookupBytesOr0(pixels, first_pair), weights);
        sum.add(hn::TableLookupBytesOr0(pixels, second_pair), weights + 2);
      }
      sums[i] = sum.get();
    }
    store(joined(sums, places), to, x * C);
  }
}

// What filter_rows may read of a row.
size_t read_of(const ImageView& view, const Filter& filter, size_t channels) {
  return std::max(view.width, filter.taps) * channels + 16;
}

const uint8_t* row_of(const ImageView& view, size_t y) {
  return view.pixels + std::min(y, view.height - 1) * view.row;
}

void filter_colour_rows(const ImageView& from, const Filter& filter, size_t row, uint8_t* to) {
  const size_t read = read_of(from, filter, 3);
  std::vector<uint8_t> copies[kBlocks];  // of rows behind which there is too little
  for (size_t y = 0; y < from.height; y += kBlocks) {
    const uint8_t* in[kBlocks];
    uint8_t* out[kBlocks];
    for (size_t i = 0; i < kBlocks; ++i) {
      in[i] = row_of(from, y + i);
      out[i] = to + std::min(y + i, from.height - 1) * row;
      if (static_cast<size_t>(from.end - in[i]) >= read) continue;
      copies[i].assign(in[i], in[i] + from.width * 3);
      copies[i].resize(read);
      in[i] = copies[i].data();
    }
    filter_rows<3>(in, filter, out);
  }
}

// Four rows as one whose pixels have four channels.
void interleave(const uint8_t* const* rows, size_t width, uint8_t* to) {
  const size_t n = hn::Lanes(kBytes);
  size_t x = 0;
  for (; x + n <= width; x += n) {
    hn::StoreInterleaved4(hn::LoadU(kBytes, rows[0] + x), hn::LoadU(kBytes, rows[1] + x),
                          hn::LoadU(kBytes, rows[2] + x), hn::LoadU(kBytes, rows[3] + x), kBytes,
                          to + 4 * x);
  }
  for (; x < width; ++x) {
    for (size_t i = 0; i < 4; ++i) to[4 * x + i] = rows[i][x];
  }
}

// And back, up to a vector beyond `width`.
void part(const uint8_t* from, size_t width, uint8_t* const* rows) {
  for (size_t x = 0; x < width; x += hn::Lanes(kBytes)) {
    Bytes row[4];
    hn::LoadInterleaved4(kBytes, from + 4 * x, row[0], row[1], row[2], row[3]);
    for (size_t i = 0; i < 4; ++i) hn::StoreU(row[i], kBytes, rows[i] + x);
  }
}

void filter_grey_rows(const ImageView& from, const Filter& filter, size_t row, uint8_t* to) {
  std::vector<uint8_t> inputs[kBlocks], outputs[kBlocks];
  const uint8_t* in[kBlocks];
  uint8_t* out[kBlocks];
  for (size_t i = 0; i < kBlocks; ++i) {
    inputs[i].resize(read_of(from, filter, 4));
    outputs[i].resize(4 * (filter.count + kRowPadding));
    in[i] = inputs[i].data();
    out[i] = outputs[i].data();
  }
  for (size_t y = 0; y < from.height; y += 4 * kBlocks) {
    for (size_t i = 0; i < kBlocks; ++i) {
      const size_t at = y + 4 * i;
      const uint8_t* rows[4] = {row_of(from, at), row_of(from, at + 1), row_of(from, at + 2),
                                row_of(from, at + 3)};
      interleave(rows, from.width, inputs[i].data());
    }
    filter_rows<4>(in, filter, out);
    for (size_t i = 0; i < kBlocks; ++i) {
      uint8_t* rows[4];
      for (size_t k = 0; k < 4; ++k) rows[k] = to + std::min(y + 4 * i + k, from.height - 1) * row;
      part(out[i], filter.count, rows);
    }
  }
}

void filter_all_rows(const ImageView& from, const Filter& filter, size_t row, uint8_t* to) {
  if (from.channels == 3) {
    filter_colour_rows(from, filter, row, to);
  } else {
    filter_grey_rows(from, filter, row, to);
  }
}

// As many neighbouring bytes as vectors have, of all rows that the filter takes.
HWY_INLINE Bytes filter_bytes(const uint8_t* from, size_t row, const int16_t* weights, size_t taps,
                              size_t last, Bytes places) {
  Sum sums[4] = {zero_sum(), zero_sum(), zero_sum(), zero_sum()};
  for (size_t tap = 0; tap < taps; tap += 2) {
    const Bytes a = hn::LoadU(kBytes, from + std::min(tap, last) * row);
    const Bytes b = hn::LoadU(kBytes, from + std::min(tap + 1, last) * row);
    const Bytes left = hn::InterleaveLower(kBytes, a, b), right = hn::InterleaveUpper(kBytes, a, b);
    const Bytes zero = hn::Zero(kBytes);
    const int16_t* both = weights + tap / kTaps * 2 * kTaps + tap % kTaps;
    sums[0].add(hn::InterleaveLower(kBytes, left, zero), both);
    sums[1].add(hn::InterleaveUpper(kBytes, left, zero), both);
    sums[2].add(hn::InterleaveLower(kBytes, right, zero), both);
    sums[3].add(hn::InterleaveUpper(kBytes, right, zero), both);
  }
  const Words all[4] = {sums[0].get(), sums[1].get(), sums[2].get(), sums[3].get()};
  return joined(all, places);
}

void filter_row(const uint8_t* from, size_t row, size_t bytes, const int16_t* weights, size_t taps,
                size_t last, uint8_t* to) {
  const Bytes places = hn::LoadDup128(kBytes, Places<4>::kPixels);
  const size_t n = hn::Lanes(kBytes);
  size_t x = 0;
  for (; x + n <= bytes; x += n)
    hn::StoreU(filter_bytes(from + x, row, weights, taps, last, places), kBytes, to + x);
  if (x == bytes) return;
  HWY_ALIGN uint8_t rest[32];
  hn::StoreU(filter_bytes(from + x, row, weights, taps, last, places), kBytes, rest);
  std::memcpy(to + x, rest, bytes - x);
}

#endif

}  // namespace

void Rows(const ImageView& from, const Filter& filter, size_t row, uint8_t* to) {
  filter_all_rows(from, filter, row, to);
}

void Columns(const uint8_t* from, size_t row, size_t rows, size_t bytes, const Filter& filter,
             size_t height, uint8_t* to) {
  const size_t taps = std::min(filter.taps, rows);
  for (size_t y = 0; y < height; ++y) {
    const uint8_t* first = from + static_cast<size_t>(filter.first[y]) * row;
    filter_row(first, row, bytes, filter.at(y), taps, taps - 1, to + y * bytes);
  }
}

}  // namespace vitrine::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine {

HWY_EXPORT(Rows);
HWY_EXPORT(Columns);

void resample_rows(const ImageView& from, const Filter& filter, size_t row, uint8_t* to) {
  HWY_DYNAMIC_DISPATCH(Rows)(from, filter, row, to);
}
void resample_columns(const uint8_t* from, size_t row, size_t rows, size_t bytes,
                      const Filter& filter, size_t height, uint8_t* to) {
  HWY_DYNAMIC_DISPATCH(Columns)(from, row, rows, bytes, filter, height, to);
}

}  // namespace vitrine
#endif
