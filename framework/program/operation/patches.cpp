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

#include "framework/simd/matrix-inl.h"
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

// `n` neighbouring bytes of each image as n vectors, 255 as 1.
void spread_bytes(const uint8_t* from, const Offsets& offsets, size_t n, float* to) {
  const hn::RebindToSigned<Lanes> di;
  const auto low = hn::Set(di, 255);
  size_t i = 0;
  for (; i + 4 <= n; i += 4, to += 4 * N) {
    const auto four = hn::GatherOffset(di, reinterpret_cast<const int32_t*>(from + i), offsets);
    const auto put_bytes = [&](auto bytes, float* at) HWY_ATTR {
      store(share_of_255(hn::ConvertTo(Lanes(), hn::And(bytes, low))), at);
    };
    put_bytes(four, to);
    put_bytes(hn::ShiftRight<8>(four), to + N);
    put_bytes(hn::ShiftRight<16>(four), to + 2 * N);
    put_bytes(hn::ShiftRight<24>(four), to + 3 * N);
  }
  HWY_ALIGN int32_t at[N];
  hn::Store(offsets, di, at);
  for (; i < n; ++i, to += N) {
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
  for (size_t patch = 0; patch < rows * columns; ++patch) {
    float* to = row_of(call.output.value, patch);
    const size_t corner = patch / columns * patch_height * width + patch % columns * patch_width;
    for (size_t channel = 0; channel < channels; ++channel) {
      for (size_t y = 0; y < patch_height; ++y, to += patch_width * N) {
        const size_t at = first + channel * height * width + corner + y * width;
        if (feed.bytes) {
          spread_bytes(feed.bytes + at, offsets, patch_width, to);
        } else {
          spread_floats(feed.values + at, offsets, patch_width, to);
        }
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
