// Vectors that hold one number of each image of a group, and the functions of one such vector.
// Included once for each instruction set.
#if defined(VITRINE_SIMD_MATH) == defined(HWY_TARGET_TOGGLE)
#ifdef VITRINE_SIMD_MATH
#undef VITRINE_SIMD_MATH
#else
#define VITRINE_SIMD_MATH
#endif

#include <hwy/highway.h>

#include <cmath>

HWY_BEFORE_NAMESPACE();
namespace vitrine::simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Lanes = hn::ScalableTag<float>;
using V = hn::Vec<Lanes>;
constexpr size_t N = hn::MaxLanes(Lanes());

HWY_INLINE V load(const float* p) { return hn::Load(Lanes(), p); }
HWY_INLINE void store(V v, float* p) { hn::Store(v, Lanes(), p); }
HWY_INLINE V all(float x) { return hn::Set(Lanes(), x); }
HWY_INLINE V zero() { return hn::Zero(Lanes()); }

// 2^x for x of at most 127; 0 far below; NaN of NaN. The polynomial (minimax on [0, 1), relative
// error 2e-7) is of the fraction.
HWY_INLINE V exp2(V x) {
  const auto polynomial = [](V r) HWY_ATTR {
    V p = all(1.8775767e-3f);
    p = hn::MulAdd(p, r, all(8.9893397e-3f));
    p = hn::MulAdd(p, r, all(5.5826318e-2f));
    p = hn::MulAdd(p, r, all(2.4015361e-1f));
    p = hn::MulAdd(p, r, all(6.9315308e-1f));
    return hn::MulAdd(p, r, all(9.9999994e-1f));
  };
#if HWY_TARGET <= HWY_AVX3
  // x - floor(x), then p * 2^floor(x), each in one instruction.
  const V p = polynomial(V{_mm512_reduce_ps(x.raw, _MM_FROUND_TO_NEG_INF)});
  return V{_mm512_scalef_ps(p.raw, x.raw)};
#else
#if HWY_TARGET == HWY_SCALAR
  if (x.raw != x.raw) return x;  // a NaN, which C++ cannot convert to an integer
#endif
  const hn::RebindToSigned<Lanes> di;
  x = hn::IfThenElse(hn::Lt(x, all(-126.0f)), all(-126.0f), x);  // unlike Max, leaves a NaN one
  const V whole = hn::Floor(x);
  const auto exponent = hn::ShiftLeft<23>(hn::ConvertTo(di, hn::Add(whole, all(127.0f))));
  return hn::Mul(polynomial(hn::Sub(x, whole)), hn::BitCast(Lanes(), exponent));
#endif
}

// x * cdf(x) of the normal distribution, and its derivative. erf after Abramowitz and Stegun
// 7.1.26: absolute error 1.5e-7.
HWY_INLINE V gelu(V x, V& slope) {
  constexpr float kLog2E = 1.44269504f;
  const V size = hn::Abs(x);
  const V t = hn::Div(all(1), hn::MulAdd(size, all(0.3275911f * 0.70710678f), all(1)));
  const V bell = exp2(hn::Mul(hn::Mul(x, x), all(-0.5f * kLog2E)));  // exp(-x^2 / 2)
  V p = all(0.5f * 1.061405429f);
  p = hn::MulAdd(p, t, all(0.5f * -1.453152027f));
  p = hn::MulAdd(p, t, all(0.5f * 1.421413741f));
  p = hn::MulAdd(p, t, all(0.5f * -0.284496736f));
  p = hn::MulAdd(p, t, all(0.5f * 0.254829592f));
  const V tail = hn::Mul(hn::Mul(p, t), bell);  // the distribution beyond |x|
  const V cdf = hn::IfNegativeThenElse(x, tail, hn::Sub(all(1.0f), tail));
  slope = hn::MulAdd(hn::Mul(x, all(0.39894228f)), bell, cdf);
  return hn::Mul(x, cdf);
}

// e^x; infinite where that is beyond a float.
HWY_INLINE V exp_of(V x) {
  x = hn::Mul(x, all(1.44269504f));
#if HWY_TARGET <= HWY_AVX3
  return exp2(x);
#else
  const V power = exp2(hn::IfThenElse(hn::Gt(x, all(127.0f)), all(127.0f), x));
  return hn::IfThenElse(hn::Ge(x, all(128.0f)), all(HUGE_VALF), power);
#endif
}

HWY_INLINE V sigmoid(V x) { return hn::Div(all(1), hn::Add(all(1), exp_of(hn::Neg(x)))); }

// Natural logarithm, lane by lane.
inline V log(V x) {
  HWY_ALIGN float lanes[N];
  store(x, lanes);
  for (float& lane : lanes) lane = std::log(lane);
  return load(lanes);
}

// The sum over the lanes, added to a float.
HWY_INLINE void add_sum(V a, float* out) { *out += hn::GetLane(hn::SumOfLanes(Lanes(), a)); }

#if HWY_TARGET == HWY_SCALAR
HWY_INLINE void add_sums(V a, V b, V c, V d, float* out) {
  add_sum(a, out);
  add_sum(b, out + 1);
  add_sum(c, out + 2);
  add_sum(d, out + 3);
}
#else
// The sum of a vector's blocks of four lanes.
template <class D>
HWY_INLINE hn::Vec<hn::Full128<float> > folded(D d, hn::Vec<D> x) {
  if constexpr (hn::MaxLanes(d) > 4) {
    const hn::Half<D> half;
    return folded(half, hn::Add(hn::LowerHalf(half, x), hn::UpperHalf(half, x)));
  } else {
    return x;
  }
}

// The sums over the lanes of four vectors, added to four floats.
HWY_INLINE void add_sums(V a, V b, V c, V d, float* out) {
  const Lanes f;
  const hn::RepartitionToWide<Lanes> pairs;
  const V ab = hn::Add(hn::InterleaveLower(f, a, b), hn::InterleaveUpper(f, a, b));
  const V cd = hn::Add(hn::InterleaveLower(f, c, d), hn::InterleaveUpper(f, c, d));
  const auto ab2 = hn::BitCast(pairs, ab), cd2 = hn::BitCast(pairs, cd);
  const V sums = hn::Add(hn::BitCast(f, hn::InterleaveLower(pairs, ab2, cd2)),
                         hn::BitCast(f, hn::InterleaveUpper(pairs, ab2, cd2)));
  const hn::Full128<float> four;
  hn::StoreU(hn::Add(hn::LoadU(four, out), folded(f, sums)), four, out);
}
#endif

}  // namespace vitrine::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
