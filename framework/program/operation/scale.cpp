// Every number times a fixed factor.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/scale.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include "framework/program/elementwise-inl.h"
#include "framework/program/operation.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::scale_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  const V factor = all(static_cast<float>(call.numbers[0]));
  apply_elementwise(call, [factor](V x, V&) HWY_ATTR { return hn::Mul(x, factor); });
}

void Backward(const Call& call) {
  const V factor = all(static_cast<float>(call.numbers[0]));
  multiply_gradient(call, [factor](size_t, auto) HWY_ATTR { return factor; });
}

}  // namespace
}  // namespace vitrine::scale_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::scale_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class Scale : public Operation {
 public:
  std::vector<const char*> numbers() const override { return {"factor"}; }
  Shape shape(const Applied& a) const override { return a.inputs[0]; }
  bool in_place(const Applied&) const override { return true; }
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(scale, Scale)

}  // namespace
}  // namespace vitrine::scale_operation
#endif
