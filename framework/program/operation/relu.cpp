// Rectified linear unit: x where it is above 0, else 0.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/relu.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include "framework/program/elementwise-inl.h"
#include "framework/program/operation/elementwise.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::relu_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  apply_elementwise(call, [](V x, V& slope) HWY_ATTR {
    const auto above = hn::Gt(x, zero());
    slope = hn::IfThenElseZero(above, all(1));
    // Unlike a maximum with 0, what is no number stays none.
    return hn::IfThenElse(hn::Le(x, zero()), zero(), x);
  });
}

void Backward(const Call& call) { multiply_by_slope(call); }

}  // namespace
}  // namespace vitrine::relu_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::relu_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class Relu : public Elementwise {
 public:
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(relu, Relu)

}  // namespace
}  // namespace vitrine::relu_operation
#endif
