// Functions of each number for itself. Included once for each instruction set.
#if defined(VITRINE_SIMD_ELEMENTWISE) == defined(HWY_TARGET_TOGGLE)
#ifdef VITRINE_SIMD_ELEMENTWISE
#undef VITRINE_SIMD_ELEMENTWISE
#else
#define VITRINE_SIMD_ELEMENTWISE
#endif

#include "framework/simd/matrix-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::simd::HWY_NAMESPACE {

// `function` gives the value at x, and sets its slope there.
template <class Function>
HWY_INLINE void apply_elementwise(const Call& call, const Function& function) {
  const size_t n = call.output.shape.columns * N;
  for (size_t t = 0; t < call.output.shape.tokens; ++t) {
    const float* x = row_of(call.inputs[0].value, t);
    float* y = row_of(call.output.value, t);
    V slope;
    if (call.saved) {
      float* slopes = call.saved + t * n;
      for (size_t i = 0; i < n; i += N) {
        store(function(load(x + i), slope), y + i);
        store(slope, slopes + i);
      }
    } else {
      for (size_t i = 0; i < n; i += N) store(function(load(x + i), slope), y + i);
    }
  }
}

inline void multiply_by_slope(const Call& call) {
  const size_t n = call.output.shape.columns * N;
  const auto& input = call.inputs[0];
  for (size_t t = 0; t < call.output.shape.tokens; ++t) {
    const float *dy = row_of(call.output.gradient, t), *slopes = call.saved + t * n;
    float* dx = row_of(input.gradient, t);
    if (input.adds) {
      for (size_t i = 0; i < n; i += N)
        store(hn::MulAdd(load(dy + i), load(slopes + i), load(dx + i)), dx + i);
    } else {
      for (size_t i = 0; i < n; i += N) store(hn::Mul(load(dy + i), load(slopes + i)), dx + i);
    }
  }
}

}  // namespace vitrine::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
