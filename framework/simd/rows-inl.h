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

// n neighbouring floats of each row as n vectors, `step` floats apart.
inline void spread_floats(const float* from, const Offsets& offsets, size_t n, float* to,
                          size_t step = N) {
  for (size_t i = 0; i < n; ++i, to += step)
    store(hn::GatherOffset(Lanes(), from + i, offsets), to);
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
