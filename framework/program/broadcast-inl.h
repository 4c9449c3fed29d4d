// Two operands number by number. Included once for each instruction set.
#if defined(VITRINE_PROGRAM_BROADCAST) == defined(HWY_TARGET_TOGGLE)
#ifdef VITRINE_PROGRAM_BROADCAST
#undef VITRINE_PROGRAM_BROADCAST
#else
#define VITRINE_PROGRAM_BROADCAST
#endif

#include <algorithm>

#include "framework/program/call-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::simd::HWY_NAMESPACE {

// An operand as if it had the output's shape: its one row or column again and again.
class Repeated {
 public:
  Repeated(const Call& call, const Matrix& m, const Shape& shape)
      : m_(m),
        one_token_(shape.tokens == 1),
        one_column_(shape.columns == 1 && call.output.shape.columns > 1),
        unit_(call.unit) {}

  HWY_INLINE float* row(size_t image, size_t t) const {
    return row_of(m_, image, one_token_ ? 0 : t);
  }
  // The vector at float i of a row.
  template <class Part>
  HWY_INLINE V load(const float* row, size_t i, Part part) const {
    if (!one_column_) return part.load(row + i);
    return unit_ == 1 ? all(*row) : simd::HWY_NAMESPACE::load(row);
  }

 private:
  Matrix m_;
  bool one_token_, one_column_;
  size_t unit_;
};

template <class Function>
HWY_INLINE void apply_broadcast(const Call& call, const Function& function) {
  const Repeated a(call, call.inputs[0].value, call.inputs[0].shape);
  const Repeated b(call, call.inputs[1].value, call.inputs[1].shape);
  for_rows(call, call.output.shape.tokens, [&](size_t image, size_t t, size_t) HWY_ATTR {
    const float *x = a.row(image, t), *y = b.row(image, t);
    float* out = row_of(call.output.value, image, t);
    for_vectors(call.output.shape.columns * call.unit, [&](size_t i, auto part) HWY_ATTR {
      part.store(function(a.load(x, i, part), b.load(y, i, part)), out + i);
    });
  });
}

// The gradient of an operand: `slope(image, token)` gives what loads the slope at each place of a
// row of the output; it is summed over those places that the operand went with.
template <class Slope>
HWY_INLINE void gradient_of_broadcast(const Call& call, const Call::Operand& operand,
                                      const Slope& slope) {
  const Shape& shape = call.output.shape;
  const size_t n = shape.columns * call.unit;
  const bool one_token = operand.shape.tokens == 1 && shape.tokens > 1;
  const bool one_column = operand.shape.columns == 1 && shape.columns > 1;
  for_rows(call, shape.tokens, [&](size_t image, size_t t, size_t) HWY_ATTR {
    const bool adds = operand.adds || (one_token && t > 0);
    float* to = row_of(operand.gradient, image, one_token ? 0 : t);
    const auto at = slope(image, t);
    if (!one_column) {
      for_vectors(n, [&](size_t i, auto part) HWY_ATTR { part.put(at(i, part), adds, to + i); });
      return;
    }
    V sum = zero();
    for_vectors(n, [&](size_t i, auto part) HWY_ATTR { sum = hn::Add(sum, at(i, part)); });
    if (call.unit == 1) {
      *to = sum_of(sum) + (adds ? *to : 0);
    } else {
      put(sum, adds, to);
    }
  });
}

}  // namespace vitrine::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
