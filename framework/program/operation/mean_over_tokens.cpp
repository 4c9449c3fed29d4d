// The mean of all tokens.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/mean_over_tokens.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include "framework/simd/matrix-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::mean_over_tokens_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  const auto& x = call.inputs[0];
  const V share = all(1.0f / static_cast<float>(x.shape.tokens));
  for (size_t c = 0; c < x.shape.columns; ++c) {
    V sum = zero();
    for (size_t t = 0; t < x.shape.tokens; ++t) sum = hn::Add(sum, load(row_of(x.value, t) + c * N));
    store(hn::Mul(sum, share), call.output.value.at + c * N);
  }
}

void Backward(const Call& call) {
  const auto& x = call.inputs[0];
  const V share = all(1.0f / static_cast<float>(x.shape.tokens));
  for (size_t t = 0; t < x.shape.tokens; ++t) {
    float* dx = row_of(x.gradient, t);
    for (size_t c = 0; c < x.shape.columns; ++c)
      put(hn::Mul(load(call.output.gradient.at + c * N), share), x.adds, dx + c * N);
  }
}

}  // namespace
}  // namespace vitrine::mean_over_tokens_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::mean_over_tokens_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class MeanOverTokens : public Operation {
 public:
  Shape shape(const Applied& a) const override { return {1, a.inputs[0].columns}; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(mean_over_tokens, MeanOverTokens)

}  // namespace
}  // namespace vitrine::mean_over_tokens_operation
#endif
