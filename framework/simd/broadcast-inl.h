// Two operands number by number. Included once for each instruction set.
#if defined(VITRINE_SIMD_BROADCAST) == defined(HWY_TARGET_TOGGLE)
#ifdef VITRINE_SIMD_BROADCAST
#undef VITRINE_SIMD_BROADCAST
#else
#define VITRINE_SIMD_BROADCAST
#endif

#include "framework/simd/matrix-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::simd::HWY_NAMESPACE {

// An operand as if it had the output's shape: its one row or column again and again.
struct Repeated {
  float* at;
  size_t row, column;  // in floats; 0 where there is one

  Repeated(const Matrix& m, const Shape& shape)
      : at(m.at), row(shape.tokens > 1 ? m.row * N : 0), column(shape.columns > 1 ? N : 0) {}
  HWY_INLINE float* operator()(size_t t, size_t c) const { return at + t * row + c * column; }
};

template <class Function>
HWY_INLINE void apply_broadcast(const Call& call, const Function& function) {
  const Repeated a(call.inputs[0].value, call.inputs[0].shape);
  const Repeated b(call.inputs[1].value, call.inputs[1].shape);
  for (size_t t = 0; t < call.output.shape.tokens; ++t) {
    float* y = row_of(call.output.value, t);
    for (size_t c = 0; c < call.output.shape.columns; ++c)
      store(function(load(a(t, c)), load(b(t, c))), y + c * N);
  }
}

// The gradient of an operand: `slope` at each number of the output, summed over those that it went
// with.
template <class Slope>
HWY_INLINE void gradient_of_broadcast(const Call& call, const Call::Operand& operand,
                                      const Slope& slope) {
  const size_t tokens = call.output.shape.tokens, columns = call.output.shape.columns;
  const Repeated to(operand.gradient, operand.shape);
  if (operand.shape == call.output.shape) {
    for (size_t t = 0; t < tokens; ++t) {
      for (size_t c = 0; c < columns; ++c) put(slope(t, c), operand.adds, to(t, c));
    }
    return;
  }
  const size_t repeated_tokens = operand.shape.tokens == tokens ? 1 : tokens;
  const size_t repeated_columns = operand.shape.columns == columns ? 1 : columns;
  for (size_t t = 0; t < operand.shape.tokens; ++t) {
    for (size_t c = 0; c < operand.shape.columns; ++c) {
      V sum = zero();
      for (size_t u = 0; u < repeated_tokens; ++u) {
        for (size_t v = 0; v < repeated_columns; ++v) sum = hn::Add(sum, slope(t + u, c + v));
      }
      put(sum, operand.adds, to(t, c));
    }
  }
}

}  // namespace vitrine::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
