// From the images of a batch to the vectors of a group, and back. Included once for each
// instruction set.
#if defined(VITRINE_FUSED_IMAGES) == defined(HWY_TARGET_TOGGLE)
#ifdef VITRINE_FUSED_IMAGES
#undef VITRINE_FUSED_IMAGES
#else
#define VITRINE_FUSED_IMAGES
#endif

#include <algorithm>

#include "framework/simd/rows-inl.h"
#include "models/encoder/fused/network.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::fused::HWY_NAMESPACE {

using namespace simd::HWY_NAMESPACE;

// x / 255, correctly rounded for whole x from 0 to 255, as libtorch has it.
HWY_INLINE V share_of_255(V x) {
  const V share = all(1.0f / 255), near = hn::Mul(x, share);
  return hn::MulAdd(hn::NegMulAdd(near, all(255), x), share, near);
}

// `n` neighbouring bytes of each image as n vectors, 255 as 1.
inline void spread_bytes(const uint8_t* from, const Offsets& offsets, size_t n, float* to) {
  const hn::RebindToSigned<Lanes> di;
  const auto low = hn::Set(di, 255);
  size_t i = 0;
  for (; i + 4 <= n; i += 4, to += 4 * N) {
    const auto four = hn::GatherOffset(di, reinterpret_cast<const int32_t*>(from + i), offsets);
    const auto put = [&](auto bytes, float* at) HWY_ATTR {
      store(share_of_255(hn::ConvertTo(Lanes(), hn::And(bytes, low))), at);
    };
    put(four, to);
    put(hn::ShiftRight<8>(four), to + N);
    put(hn::ShiftRight<16>(four), to + 2 * N);
    put(hn::ShiftRight<24>(four), to + 3 * N);
  }
  HWY_ALIGN int32_t at[N];
  hn::Store(offsets, di, at);
  for (; i < n; ++i, to += N) {
    for (size_t lane = 0; lane < N; ++lane) to[lane] = static_cast<float>(from[at[lane] + i]);
    store(share_of_255(load(to)), to);
  }
}

// The group's patches: [patches][patch pixels].
inline void load_patches(const Network& net, const Input& input, const Group& group, float* to) {
  const size_t height = net.height / net.rows, width = net.width / net.columns;
  const size_t first = group.first * net.pixels();
  const Offsets offsets = offsets_of(group.count, net.pixels() * (input.bytes ? 1 : sizeof(float)));
  for (size_t row = 0; row < net.rows; ++row) {
    for (size_t column = 0; column < net.columns; ++column) {
      for (size_t channel = 0; channel < net.channels; ++channel) {
        for (size_t y = 0; y < height; ++y, to += width * N) {
          const size_t at =
              first + (channel * net.height + row * height + y) * net.width + column * width;
          if (input.bytes) {
            spread_bytes(input.bytes + at, offsets, width, to);
          } else {
            spread_floats(input.values + at, offsets, width, to);
          }
        }
      }
    }
  }
}

// n floats of each image from `from` on, images `stride` floats apart.
inline void load_rows(const float* from, size_t stride, const Group& group, size_t n, float* to) {
  const Offsets offsets = offsets_of(group.count, stride * sizeof(float));
  spread_floats(from + group.first * stride, offsets, n, to);
}

inline void store_rows(const float* from, size_t n, const Group& group, float* to, size_t stride) {
  to += group.first * stride;
  for (size_t i = 0; i < n; ++i) {
    for (size_t lane = 0; lane < group.count; ++lane) to[lane * stride + i] = from[i * N + lane];
  }
}

}  // namespace vitrine::fused::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
