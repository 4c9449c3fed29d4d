// Turns rows of floats into vectors of one number of each row, and back. Included once for each
// instruction set.
#if defined(VITRINE_SIMD_ROWS) == defined(HWY_TARGET_TOGGLE)
#ifdef VITRINE_SIMD_ROWS
#undef VITRINE_SIMD_ROWS
#else
#define VITRINE_SIMD_ROWS
#endif

#include <hwy/aligned_allocator.h>

#include <algorithm>

#include "framework/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::simd::HWY_NAMESPACE {

using Offsets = hn::Vec<hn::RebindToSigned<Lanes>>;

// Bytes from the first row to that of each lane, if rows are `stride` bytes apart. Lanes beyond the
// last row read that one again; whatever they give is never written.
HWY_INLINE Offsets offsets_of(size_t count, size_t stride) {
  const hn::RebindToSigned<Lanes> di;
  HWY_ALIGN int32_t offsets[N];
  for (size_t lane = 0; lane < N; ++lane)
    offsets[lane] = static_cast<int32_t>(std::min(lane, count - 1) * stride);
  return hn::Load(di, offsets);
}

#if HWY_TARGET != HWY_SCALAR
// Four neighbouring floats of every fourth of `count` rows.
template <size_t count>
HWY_INLINE auto load_fours(const float* const* rows, size_t at) {
  const hn::CappedTag<float, count> d;
  if constexpr (count == 4) {
    return hn::LoadU(d, rows[0] + at);
  } else {
    return hn::Combine(d, load_fours<count / 2>(rows + count / 2, at),
                       load_fours<count / 2>(rows, at));
  }
}

// Four neighbouring floats of each row as four vectors. Far faster than gathering them, above all
// where rows share sets of the nearest cache.
HWY_INLINE void spread_four(const float* const* rows, size_t at, float* to, size_t step) {
  const V a = load_fours<N>(rows, at), b = load_fours<N>(rows + 1, at);
  const V c = load_fours<N>(rows + 2, at), d = load_fours<N>(rows + 3, at);
  const V ac = hn::InterleaveLower(a, c), ac_rest = hn::InterleaveUpper(Lanes(), a, c);
  const V bd = hn::InterleaveLower(b, d), bd_rest = hn::InterleaveUpper(Lanes(), b, d);
  store(hn::InterleaveLower(ac, bd), to);
  store(hn::InterleaveUpper(Lanes(), ac, bd), to + step);
  store(hn::InterleaveLower(ac_rest, bd_rest), to + 2 * step);
  store(hn::InterleaveUpper(Lanes(), ac_rest, bd_rest), to + 3 * step);
}
#endif

// n neighbouring floats of each row as n vectors, `step` floats apart.
inline void spread_floats(const float* from, const Offsets& offsets, size_t n, float* to,
                          size_t step = N) {
  size_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  HWY_ALIGN int32_t bytes[N];
  hn::Store(offsets, hn::RebindToSigned<Lanes>(), bytes);
  const float* rows[N];
  for (size_t lane = 0; lane < N; ++lane) rows[lane] = from + bytes[lane] / sizeof(float);
  for (; i + 4 <= n; i += 4, to += 4 * step) spread_four(rows, i, to, step);
#endif
  for (; i < n; ++i, to += step) store(hn::GatherOffset(Lanes(), from + i, offsets), to);
}

// n vectors as n neighbouring floats of each of `count` rows, `stride` floats apart; each times
// `factor`.
inline void collect_floats(const float* from, size_t n, float factor, size_t count, size_t stride,
                           float* to) {
  for (size_t i = 0; i < n; ++i, from += N) {
    HWY_ALIGN float lanes[N];
    store(hn::Mul(load(from), all(factor)), lanes);
    for (size_t lane = 0; lane < count; ++lane) to[lane * stride + i] = lanes[lane];
  }
}

// Grows, and stays for the thread's next group.
inline float* scratch(size_t vectors) {
  static thread_local hwy::AlignedFreeUniquePtr<float[]> memory;
  static thread_local size_t room = 0;
  if (vectors > room) {
    memory = hwy::AllocateAligned<float>(vectors * N);
    room = vectors;
  }
  return memory.get();
}

}  // namespace vitrine::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
