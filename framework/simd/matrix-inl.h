// Operands of an operation as factors and targets of products. Included once for each instruction
// set.
#if defined(VITRINE_SIMD_MATRIX) == defined(HWY_TARGET_TOGGLE)
#ifdef VITRINE_SIMD_MATRIX
#undef VITRINE_SIMD_MATRIX
#else
#define VITRINE_SIMD_MATRIX
#endif

#include "framework/program/operation.h"
#include "framework/simd/tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::simd::HWY_NAMESPACE {

HWY_INLINE float* row_of(const Matrix& m, size_t token) { return m.at + token * m.row * N; }
// Its rows are the product's rows (or columns), summed over its columns; and the other way round.
HWY_INLINE Factor by_rows(const Matrix& m) { return vectors(m.at, m.row, 1); }
HWY_INLINE Factor by_columns(const Matrix& m) { return vectors(m.at, 1, m.row); }
HWY_INLINE Target target_of(const Matrix& m) { return target(m.at, m.row); }

// Calls `work` with the addresses of each row of some matrices of the same shape.
template <class Work, class... Matrices>
HWY_INLINE void for_rows(size_t tokens, const Work& work, const Matrices&... m) {
  for (size_t t = 0; t < tokens; ++t) work(row_of(m, t)...);
}

// What a gradient becomes: `x`, or what is there and that.
HWY_INLINE void put(V x, bool adds, float* at) { store(adds ? hn::Add(load(at), x) : x, at); }

}  // namespace vitrine::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
