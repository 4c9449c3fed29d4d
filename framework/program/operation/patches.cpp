// The image, cut into rows x columns patches, each flattened channel, row, column. With a patch for
// each pixel it is a map of features, its channels the columns.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/patches.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <fmt/format.h>

#include <cstring>

#include "framework/program/call-inl.h"
#include "framework/simd/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::patches_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

// x / 255, correctly rounded for whole x from 0 to 255, as libtorch has it.
HWY_INLINE V share_of_255(V x) {
  const V share = all(1.0f / 255), near = hn::Mul(x, share);
  return hn::MulAdd(hn::NegMulAdd(near, all(255), x), share, near);
}

// `n` neighbouring bytes of each image as n vectors, `step` floats apart, 255 as 1.
void spread_bytes(const uint8_t* from, const Offsets& offsets, size_t n, float* to, size_t step) {
  const hn::RebindToSigned<Lanes> di;
  const auto low = hn::Set(di, 255);
  size_t i = 0;
  for (; i + 4 <= n; i += 4, to += 4 * step) {
    const auto four = hn::GatherOffset(di, reinterpret_cast<const int32_t*>(from + i), offsets);
    const auto put_bytes = [&](auto bytes, float* at) HWY_ATTR {
      store(share_of_255(hn::ConvertTo(Lanes(), hn::And(bytes, low))), at);
    };
    put_bytes(four, to);
    put_bytes(hn::ShiftRight<8>(four), to + step);
    put_bytes(hn::ShiftRight<16>(four), to + 2 * step);
    put_bytes(hn::ShiftRight<24>(four), to + 3 * step);
  }
  HWY_ALIGN int32_t at[N];
  hn::Store(offsets, di, at);
  for (; i < n; ++i, to += step) {
    for (size_t lane = 0; lane < N; ++lane) to[lane] = static_cast<float>(from[at[lane] + i]);
    store(share_of_255(load(to)), to);
  }
}

void forward_of_images(const Call& call) {
  const size_t channels = call.count(0), height = call.count(1), width = call.count(2);
  const size_t rows = call.count(3), columns = call.count(4), pixels = channels * height * width;
  const size_t patch_height = height / rows, patch_width = width / columns;
  const Feed& feed = *call.group.feed;
  const size_t first = call.group.first * pixels;
  const Offsets offsets = offsets_of(call.group.count, pixels * (feed.bytes ? 1 : sizeof(float)));
  const auto spread = [&](size_t at, size_t n, float* to, size_t step) HWY_ATTR {
    if (feed.bytes) {
      spread_bytes(feed.bytes + first + at, offsets, n, to, step);
    } else {
      spread_floats(feed.values + first + at, offsets, n, to, step);
    }
  };
  // Of patches a pixel wide those side by side are neighbours, of wider ones the pixels of each.
  const size_t out_row = call.output.value.row;
  const bool is_narrow = patch_width == 1;
  for (size_t channel = 0; channel < channels; ++channel) {
    for (size_t y = 0; y < height; ++y) {
      const size_t at = (channel * height + y) * width;
      float* to = row_of(call.output.value, y / patch_height * columns) +
                  (channel * patch_height + y % patch_height) * patch_width * N;
      if (is_narrow) {
        spread(at, columns, to, out_row);
      } else {
        for (size_t x = 0; x < columns; ++x)
          spread(at + x * patch_width, patch_width, to + x * out_row, N);
      }
    }
  }
}

void forward_of_columns(const Call& call) {
  const size_t channels = call.count(0), height = call.count(1), width = call.count(2);
  const size_t rows = call.count(3), columns = call.count(4), pixels = channels * height * width;
  const size_t patch_height = height / rows, patch_width = width / columns;
  const Feed& feed = *call.group.feed;
  for_rows(call, rows * columns, [&](size_t image, size_t patch, size_t) HWY_ATTR {
    float* to = row_of(call.output.value, image, patch);
    const size_t corner = patch / columns * patch_height * width + patch % columns * patch_width;
    for (size_t channel = 0; channel < channels; ++channel) {
      for (size_t y = 0; y < patch_height; ++y, to += patch_width) {
        const size_t at =
            (call.group.first + image) * pixels + channel * height * width + corner + y * width;
        if (!feed.bytes) {
          std::memcpy(to, feed.values + at, patch_width * sizeof(float));
        } else {
          for (size_t x = 0; x < patch_width; ++x)
            to[x] = static_cast<float>(feed.bytes[at + x]) / 255;
        }
      }
    }
  });
}

void Forward(const Call& call) {
  call.has_columns() ? forward_of_columns(call) : forward_of_images(call);
}

}  // namespace
}  // namespace vitrine::patches_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::patches_operation {
namespace {

HWY_EXPORT(Forward);

class Patches : public Operation {
 public:
  Operands operands() const override { return {0}; }
  std::vector<const char*> numbers() const override {
    return {"channels", "height", "width", "rows", "columns"};
  }
  Shape shape(const Applied& a) const override {
    const size_t height = a.count(1), width = a.count(2), rows = a.count(3), columns = a.count(4);
    if (rows == 0 || columns == 0 || height % rows != 0 || width % columns != 0) {
      refuse_operands("patches", fmt::format("{} x {} patches of an image of {} x {} pixels", rows,
                                             columns, height, width));
    }
    return {rows * columns, a.count(0) * (height / rows) * (width / columns)};
  }
  bool reads_images() const override { return true; }
  bool narrows() const override { return false; }
  bool is_cheap() const override { return true; }
  bool has_gradient() const override { return false; }
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
};

VITRINE_OPERATION(patches, Patches)

}  // namespace
}  // namespace vitrine::patches_operation
#endif
