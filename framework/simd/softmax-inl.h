// Softmax of a row of numbers. Included once for each instruction set.
#if defined(VITRINE_SIMD_SOFTMAX_ROW) == defined(HWY_TARGET_TOGGLE)
#ifdef VITRINE_SIMD_SOFTMAX_ROW
#undef VITRINE_SIMD_SOFTMAX_ROW
#else
#define VITRINE_SIMD_SOFTMAX_ROW
#endif

#include <limits>

#include "framework/simd/matrix-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::simd::HWY_NAMESPACE {

constexpr float kLog2OfE = 1.44269504f;

inline float maximum_of_row(const float* x, size_t n) {
  V maximum = all(-std::numeric_limits<float>::max());
  float rest = -std::numeric_limits<float>::max();
  size_t i = 0;
  for (; i + N <= n; i += N) maximum = hn::Max(maximum, hn::LoadU(Lanes(), x + i));
  for (; i < n; ++i) rest = x[i] > rest ? x[i] : rest;
  const float most = maximum_of(maximum);
  return most > rest ? most : rest;
}

// y = exp(scale (x - maximum)); returns its sum.
inline float exp_of_row(const float* x, size_t n, float scale, float maximum, float* y) {
  V sum = zero();
  float rest = 0;
  const V factor = all(scale * kLog2OfE), most = all(maximum);
  for_vectors(n, [&](size_t i, auto part) HWY_ATTR {
    const V e = exp2(hn::Mul(hn::Sub(part.load(x + i), most), factor));
    part.store(e, y + i);
    if constexpr (std::is_same_v<decltype(part), Whole>) {
      sum = hn::Add(sum, e);
    } else {
      for (size_t k = i; k < n; ++k) rest += y[k];
    }
  });
  return sum_of(sum) + rest;
}

inline void softmax_of_row(const float* x, size_t n, float scale, float* y) {
  const V inverse = all(1 / exp_of_row(x, n, scale, maximum_of_row(x, n), y));
  for_vectors(n, [&](size_t i, auto part)
                     HWY_ATTR { part.store(hn::Mul(part.load(y + i), inverse), y + i); });
}

}  // namespace vitrine::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
