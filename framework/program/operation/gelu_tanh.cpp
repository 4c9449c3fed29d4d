// Gaussian error linear unit, approximated by tanh (Hendrycks and Gimpel 2016).
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/gelu_tanh.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include "framework/program/elementwise-inl.h"
#include "framework/program/operation/elementwise.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::gelu_tanh_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  apply_elementwise(call, [](V x, V& slope) HWY_ATTR {
    const V a = all(0.7978845608f), b = all(0.044715f), square = hn::Mul(x, x);
    // 1 + tanh(u) = 2 sigmoid(2 u)
    const V u = hn::Mul(hn::Mul(x, a), hn::MulAdd(square, b, all(1)));
    const V s = sigmoid(hn::Add(u, u));
    const V du = hn::Mul(a, hn::MulAdd(square, hn::Mul(b, all(3)), all(1)));
    slope = hn::MulAdd(hn::Mul(hn::Add(x, x), hn::Mul(s, hn::Sub(all(1), s))), du, s);
    return hn::Mul(x, s);
  });
}

void Backward(const Call& call) { multiply_by_slope(call); }

}  // namespace
}  // namespace vitrine::gelu_tanh_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::gelu_tanh_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class GeluTanh : public Elementwise {
 public:
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(gelu_tanh, GeluTanh)

}  // namespace
}  // namespace vitrine::gelu_tanh_operation
#endif
