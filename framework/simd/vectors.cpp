// Compiled once for each instruction set; the best one is picked as the program runs.
#include "framework/simd/vectors.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/simd/vectors.cpp"
#include "framework/simd/targets.h"
// After it:
#include "framework/simd/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::simd::HWY_NAMESPACE {

size_t Count() { return N; }
const char* Name() { return hwy::TargetName(HWY_TARGET); }
void Collect(const float* vectors, size_t n, size_t count, size_t stride, float* to) {
  collect_floats(vectors, n, 1, count, stride, to);
}
void Add(const float* from, size_t n, float* to) {
  size_t i = 0;
  for (; i + N <= n; i += N)
    hn::StoreU(hn::Add(hn::LoadU(Lanes(), from + i), hn::LoadU(Lanes(), to + i)), Lanes(), to + i);
  for (; i < n; ++i) to[i] += from[i];
}

}  // namespace vitrine::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::simd {

HWY_EXPORT(Count);
HWY_EXPORT(Name);
HWY_EXPORT(Collect);
HWY_EXPORT(Add);

size_t lanes() { return HWY_DYNAMIC_DISPATCH(Count)(); }
const char* target() { return HWY_DYNAMIC_DISPATCH(Name)(); }
void collect(const float* vectors, size_t n, size_t count, size_t stride, float* to) {
  HWY_DYNAMIC_DISPATCH(Collect)(vectors, n, count, stride, to);
}
void add(const float* from, size_t n, float* to) { HWY_DYNAMIC_DISPATCH(Add)(from, n, to); }

}  // namespace vitrine::simd
#endif
