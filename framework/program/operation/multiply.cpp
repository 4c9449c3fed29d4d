// The product of two number by number, with broadcast over tokens or columns.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/multiply.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include "framework/program/broadcast-inl.h"
#include "framework/program/call-inl.h"
#include "framework/program/operation/broadcast.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::multiply_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  apply_broadcast(call, [](V a, V b) HWY_ATTR { return hn::Mul(a, b); });
}

void Backward(const Call& call) {
  for (size_t k = 0; k < 2; ++k) {
    const Call::Operand &input = call.inputs[k], &other = call.inputs[1 - k];
    if (!input.gradient.at) continue;
    const Repeated by(call, other.value, other.shape);
    gradient_of_broadcast(call, input, [&](size_t image, size_t t) HWY_ATTR {
      const float *dy = row_of(call.output.gradient, image, t), *factor = by.row(image, t);
      return [dy, factor, &by](size_t i, auto part)
                 HWY_ATTR { return hn::Mul(part.load(dy + i), by.load(factor, i, part)); };
    });
  }
}

}  // namespace
}  // namespace vitrine::multiply_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::multiply_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class Multiply : public Operation {
 public:
  Operands operands() const override { return {2}; }
  Shape shape(const Applied& a) const override { return broadcast_shape("multiply", a); }
  bool is_cheap() const override { return true; }
  Needs needs(const Applied&) const override { return {3, false}; }
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(multiply, Multiply)

}  // namespace
}  // namespace vitrine::multiply_operation
#endif
