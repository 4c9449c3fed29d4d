// Gaussian error linear unit, exact: x times the share of the normal distribution below x.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/gelu.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include "framework/program/elementwise-inl.h"
#include "framework/program/operation/elementwise.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::gelu_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  apply_elementwise(call, [](V x, V& slope) HWY_ATTR { return gelu(x, slope); });
}

void Backward(const Call& call) { multiply_by_slope(call); }

}  // namespace
}  // namespace vitrine::gelu_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::gelu_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class Gelu : public Elementwise {
 public:
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(gelu, Gelu)

}  // namespace
}  // namespace vitrine::gelu_operation
#endif
