// Of each token's columns: positive, with the sum 1.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/softmax.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include "framework/simd/matrix-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::softmax_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

constexpr float kLog2E = 1.44269504f;

void Forward(const Call& call) {
  const size_t n = call.output.shape.columns * N;
  for (size_t t = 0; t < call.output.shape.tokens; ++t) {
    const float* x = row_of(call.inputs[0].value, t);
    float* y = row_of(call.output.value, t);
    V maximum = load(x), sum = zero();
    for (size_t i = N; i < n; i += N) maximum = hn::Max(maximum, load(x + i));
    for (size_t i = 0; i < n; i += N) {
      const V e = exp2(hn::Mul(hn::Sub(load(x + i), maximum), all(kLog2E)));
      sum = hn::Add(sum, e);
      store(e, y + i);
    }
    const V inverse = hn::Div(all(1), sum);
    for (size_t i = 0; i < n; i += N) store(hn::Mul(load(y + i), inverse), y + i);
  }
}

void Backward(const Call& call) {
  const auto& x = call.inputs[0];
  const size_t n = call.output.shape.columns * N;
  for (size_t t = 0; t < call.output.shape.tokens; ++t) {
    const float *p = row_of(call.output.value, t), *dy = row_of(call.output.gradient, t);
    float* dx = row_of(x.gradient, t);
    V mean = zero();
    for (size_t i = 0; i < n; i += N) mean = hn::MulAdd(load(p + i), load(dy + i), mean);
    for (size_t i = 0; i < n; i += N)
      put(hn::Mul(load(p + i), hn::Sub(load(dy + i), mean)), x.adds, dx + i);
  }
}

}  // namespace
}  // namespace vitrine::softmax_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::softmax_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class Softmax : public Operation {
 public:
  Shape shape(const Applied& a) const override { return a.inputs[0]; }
  Needs needs(const Applied&) const override { return {0, true}; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(softmax, Softmax)

}  // namespace
}  // namespace vitrine::softmax_operation
#endif
