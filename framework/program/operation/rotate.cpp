// Turns each head's columns, whose halves are the coordinates of points, by the angles of the
// token: the parameters are their cosines and sines [tokens, half a head's width], which are not
// trained.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/rotate.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <fmt/format.h>

#include "framework/program/call-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::rotate_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

// y = x cos + turned(x) sin, where the halves of a head's columns are the coordinates of points
// that are turned; backward turns back.
void turn(const Matrix& from, const Call& call, float sign, bool adds, const Matrix& to) {
  const size_t columns = call.output.shape.columns, half = columns / call.count(0) / 2;
  for_rows(call, call.output.shape.tokens, [&](size_t image, size_t t, size_t) HWY_ATTR {
    const float* cosines = call.parameters[0].values + (call.count(1) + t) * half;
    const float* sines = call.parameters[1].values + (call.count(1) + t) * half;
    for (size_t first = 0; first < columns; first += 2 * half) {
      const float* x = row_of(from, image, t) + first * call.unit;
      float* y = row_of(to, image, t) + first * call.unit;
      const auto turn_vector = [&](size_t i, auto part, V c, V s) HWY_ATTR {
        const V a = part.load(x + i), b = part.load(x + half * call.unit + i);
        part.put(hn::NegMulAdd(b, s, hn::Mul(a, c)), adds, y + i);
        part.put(hn::MulAdd(a, s, hn::Mul(b, c)), adds, y + half * call.unit + i);
      };
      if (call.has_columns()) {
        for_vectors(half, [&](size_t i, auto part) HWY_ATTR {
          turn_vector(i, part, part.load(cosines + i), hn::Mul(all(sign), part.load(sines + i)));
        });
      } else {
        for (size_t i = 0; i < half; ++i)
          turn_vector(i * N, Whole(), all(cosines[i]), all(sign * sines[i]));
      }
    }
  });
}

void Forward(const Call& call) { turn(call.inputs[0].value, call, 1, false, call.output.value); }
void Backward(const Call& call) {
  turn(call.output.gradient, call, -1, call.inputs[0].adds, call.inputs[0].gradient);
}

}  // namespace
}  // namespace vitrine::rotate_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::rotate_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class Rotate : public Operation {
 public:
  Operands operands() const override { return {1, 2}; }
  std::vector<const char*> numbers() const override { return {"heads", "first"}; }
  Shape shape(const Applied& a) const override {
    const Shape& x = a.inputs[0];
    const size_t half = a.parameters[0].back(), rows = a.parameter_size(0) / half;
    if (x.columns != 2 * half * a.count(0) || rows < a.count(1) + x.tokens ||
        a.parameters[1] != a.parameters[0]) {
      refuse_operands("rotate", fmt::format("x of {} with {} heads, angles of {} x {}",
                                            to_string(x), a.count(0), rows, half));
    }
    return x;
  }
  std::vector<double> narrowed(const Applied& a, TokenRange tokens) const override {
    return {a.numbers[0], a.numbers[1] + static_cast<double>(tokens.begin)};
  }
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(rotate, Rotate)

}  // namespace
}  // namespace vitrine::rotate_operation
#endif
