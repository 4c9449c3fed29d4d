// Functions of each number for itself. Included once for each instruction set.
#if defined(VITRINE_PROGRAM_ELEMENTWISE) == defined(HWY_TARGET_TOGGLE)
#ifdef VITRINE_PROGRAM_ELEMENTWISE
#undef VITRINE_PROGRAM_ELEMENTWISE
#else
#define VITRINE_PROGRAM_ELEMENTWISE
#endif

#include "framework/program/call-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::simd::HWY_NAMESPACE {

// `function` gives the value at x, and sets its slope there.
template <class Function>
HWY_INLINE void apply_elementwise(const Call& call, const Function& function) {
  const size_t n = call.output.shape.columns * call.unit;
  for_rows(call, call.output.shape.tokens, [&](size_t image, size_t t, size_t row) HWY_ATTR {
    const float* x = row_of(call.inputs[0].value, image, t);
    float* y = row_of(call.output.value, image, t);
    if (call.saved) {
      float* slopes = call.saved + row * n;
      for_vectors(n, [&](size_t i, auto part) HWY_ATTR {
        V slope;
        part.store(function(part.load(x + i), slope), y + i);
        part.store(slope, slopes + i);
      });
    } else {
      for_vectors(n, [&](size_t i, auto part) HWY_ATTR {
        V slope;
        part.store(function(part.load(x + i), slope), y + i);
      });
    }
  });
}

// The gradient by an input whose slope at each number `slope_of(row, i)` gives.
template <class Slope>
HWY_INLINE void multiply_gradient(const Call& call, const Slope& slope_of) {
  const size_t n = call.output.shape.columns * call.unit;
  const auto& input = call.inputs[0];
  for_rows(call, call.output.shape.tokens, [&](size_t image, size_t t, size_t row) HWY_ATTR {
    const float* dy = row_of(call.output.gradient, image, t);
    float* dx = row_of(input.gradient, image, t);
    for_vectors(n, [&](size_t i, auto part) HWY_ATTR {
      part.put(hn::Mul(part.load(dy + i), slope_of(row * n + i, part)), input.adds, dx + i);
    });
  });
}
inline void multiply_by_slope(const Call& call) {
  multiply_gradient(call, [&](size_t i, auto part) HWY_ATTR { return part.load(call.saved + i); });
}

}  // namespace vitrine::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
