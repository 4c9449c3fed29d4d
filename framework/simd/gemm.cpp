// Compiled once for each instruction set; the best one is picked as the program runs.
#include "framework/simd/gemm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/simd/gemm.cpp"
#include "framework/simd/targets.h"
// After it:
#include <cstring>

#include "framework/simd/rows-inl.h"
#include "framework/simd/tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::simd::HWY_NAMESPACE {
namespace {

constexpr size_t kPanel = 2 * N;  // columns that a tile has
constexpr size_t kTileRows = HWY_MAX_BYTES == 64 ? 12 : 6;

// `count` columns of b from `first` on, row by row, the rest zeros: [k][kPanel].
void pack(GemmFactor b, size_t first, size_t count, size_t k, float* to) {
  for (size_t i = 0; i < k; ++i, to += kPanel) {
    if (count < kPanel) std::memset(to, 0, kPanel * sizeof(float));
    if (b.transposed) {
      for (size_t c = 0; c < count; ++c) to[c] = b.at[(first + c) * b.row + i];
    } else {
      std::memcpy(to, b.at + i * b.row + first, count * sizeof(float));
    }
  }
}

template <size_t R>
void tile(GemmFactor a, size_t first, const float* panel, size_t k, float* c, size_t c_row,
          size_t count, bool adds) {
  V sums[R][2];
  for (size_t r = 0; r < R; ++r) sums[r][0] = sums[r][1] = zero();
  const size_t across = a.transposed ? 1 : a.row, along = a.transposed ? a.row : 1;
  const float* from = a.at + first * across;
  for (size_t i = 0; i < k; ++i, panel += kPanel, from += along) {
    const V left = load(panel), right = load(panel + N);
    HWY_UNROLL(12)
    for (size_t r = 0; r < R; ++r) {
      const V factor = all(from[r * across]);
      sums[r][0] = hn::MulAdd(factor, left, sums[r][0]);
      sums[r][1] = hn::MulAdd(factor, right, sums[r][1]);
    }
  }
  for (size_t r = 0; r < R; ++r) {
    float* row = c + (first + r) * c_row;
    HWY_ALIGN float out[kPanel];
    store(sums[r][0], out);
    store(sums[r][1], out + N);
    for (size_t i = 0; i < count; ++i) row[i] = adds ? row[i] + out[i] : out[i];
  }
}

}  // namespace

void Product(size_t m, size_t n, size_t k, GemmFactor a, GemmFactor b, float* c, size_t c_row,
             bool adds) {
  float* panel = scratch((k * kPanel + N - 1) / N);
  for (size_t first = 0; first < n; first += kPanel) {
    const size_t count = std::min(kPanel, n - first);
    pack(b, first, count, k, panel);
    size_t r = 0;
    for (; r + kTileRows <= m; r += kTileRows)
      tile<kTileRows>(a, r, panel, k, c + first, c_row, count, adds);
    for (; r < m; ++r) tile<1>(a, r, panel, k, c + first, c_row, count, adds);
  }
}

}  // namespace vitrine::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::simd {
namespace {

HWY_EXPORT(Product);

Gemm library = nullptr;

}  // namespace

void gemm(size_t m, size_t n, size_t k, GemmFactor a, GemmFactor b, float* c, size_t c_row,
          bool adds) {
  if (library) return library(m, n, k, a, b, c, c_row, adds);
  HWY_DYNAMIC_DISPATCH(Product)(m, n, k, a, b, c, c_row, adds);
}
void use_gemm(Gemm chosen) { library = chosen; }

}  // namespace vitrine::simd
#endif
