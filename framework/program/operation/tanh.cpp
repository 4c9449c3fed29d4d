// Hyperbolic tangent.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/tanh.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include "framework/program/elementwise-inl.h"
#include "framework/program/operation/elementwise.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::tanh_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  apply_elementwise(call, [](V x, V& slope) HWY_ATTR {
    // tanh(x) = 2 sigmoid(2 x) - 1
    const V y = hn::MulSub(all(2), sigmoid(hn::Add(x, x)), all(1));
    slope = hn::NegMulAdd(y, y, all(1));
    return y;
  });
}

void Backward(const Call& call) { multiply_by_slope(call); }

}  // namespace
}  // namespace vitrine::tanh_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::tanh_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class Tanh : public Elementwise {
 public:
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(tanh, Tanh)

}  // namespace
}  // namespace vitrine::tanh_operation
#endif
