// Operands of an operation as factors and targets of products. Included once for each instruction
// set.
#if defined(VITRINE_SIMD_MATRIX) == defined(HWY_TARGET_TOGGLE)
#ifdef VITRINE_SIMD_MATRIX
#undef VITRINE_SIMD_MATRIX
#else
#define VITRINE_SIMD_MATRIX
#endif

#include <cstring>

#include "framework/simd/matrix.h"
#include "framework/simd/tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::simd::HWY_NAMESPACE {

HWY_INLINE float* row_of(const Matrix& m, size_t token) { return m.at + token * m.row; }
// Its rows are the product's rows (or columns), summed over its columns; and the other way round.
HWY_INLINE Factor by_rows(const Matrix& m) { return {m.at, m.row, N}; }
HWY_INLINE Factor by_columns(const Matrix& m) { return {m.at, N, m.row}; }
HWY_INLINE Target target_of(const Matrix& m) { return {m.at, m.row, N}; }

// What a gradient becomes: `x`, or what is there and that.
HWY_INLINE void put(V x, bool adds, float* at) { store(adds ? hn::Add(load(at), x) : x, at); }

// --- for either layout: rows are rows of floats, of vectors or of single numbers

HWY_INLINE float* row_of(const Matrix& m, size_t image, size_t token) {
  return m.at + image * m.image + token * m.row;
}

// A vector of neighbouring floats, and the rest of a row that fills none.
struct Whole {
  HWY_INLINE V load(const float* p) const { return hn::LoadU(Lanes(), p); }
  HWY_INLINE void store(V v, float* p) const { hn::StoreU(v, Lanes(), p); }
  HWY_INLINE void put(V v, bool adds, float* p) const { store(adds ? hn::Add(load(p), v) : v, p); }
};
struct Rest {
  size_t count;
  HWY_INLINE V load(const float* p) const {
    HWY_ALIGN float lanes[N] = {};
    std::memcpy(lanes, p, count * sizeof(float));
    return hn::Load(Lanes(), lanes);
  }
  HWY_INLINE void store(V v, float* p) const {
    HWY_ALIGN float lanes[N];
    hn::Store(v, Lanes(), lanes);
    std::memcpy(p, lanes, count * sizeof(float));
  }
  HWY_INLINE void put(V v, bool adds, float* p) const { store(adds ? hn::Add(load(p), v) : v, p); }
};
// Calls `work` with the place of each vector of n floats, and what loads and stores it.
template <class Work>
HWY_INLINE void for_vectors(size_t n, const Work& work) {
  size_t i = 0;
  for (; i + N <= n; i += N) work(i, Whole());
  if (i < n) work(i, Rest{n - i});
}

HWY_INLINE float sum_of(V x) { return hn::GetLane(hn::SumOfLanes(Lanes(), x)); }
HWY_INLINE float maximum_of(V x) { return hn::GetLane(hn::MaxOfLanes(Lanes(), x)); }

}  // namespace vitrine::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
