// Every number, but no less than a fixed one.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/maximum.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include "framework/program/elementwise-inl.h"
#include "framework/program/operation/elementwise.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::maximum_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  const V least = all(static_cast<float>(call.numbers[0]));
  apply_elementwise(call, [least](V x, V& slope) HWY_ATTR {
    slope = hn::IfThenElseZero(hn::Ge(x, least), all(1));
    return hn::IfThenElse(hn::Lt(x, least), least, x);
  });
}

void Backward(const Call& call) { multiply_by_slope(call); }

}  // namespace
}  // namespace vitrine::maximum_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::maximum_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class Maximum : public Elementwise {
 public:
  std::vector<const char*> numbers() const override { return {"least"}; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(maximum, Maximum)

}  // namespace
}  // namespace vitrine::maximum_operation
#endif
