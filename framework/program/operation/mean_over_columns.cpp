// The mean of each token's columns.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/mean_over_columns.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include "framework/simd/matrix-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::mean_over_columns_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  const auto& x = call.inputs[0];
  const V share = all(1.0f / static_cast<float>(x.shape.columns));
  for (size_t t = 0; t < x.shape.tokens; ++t) {
    const float* row = row_of(x.value, t);
    V sum = zero();
    for (size_t c = 0; c < x.shape.columns; ++c) sum = hn::Add(sum, load(row + c * N));
    store(hn::Mul(sum, share), row_of(call.output.value, t));
  }
}

void Backward(const Call& call) {
  const auto& x = call.inputs[0];
  const V share = all(1.0f / static_cast<float>(x.shape.columns));
  for (size_t t = 0; t < x.shape.tokens; ++t) {
    const V d = hn::Mul(load(row_of(call.output.gradient, t)), share);
    float* dx = row_of(x.gradient, t);
    for (size_t c = 0; c < x.shape.columns; ++c) put(d, x.adds, dx + c * N);
  }
}

}  // namespace
}  // namespace vitrine::mean_over_columns_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::mean_over_columns_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class MeanOverColumns : public Operation {
 public:
  Shape shape(const Applied& a) const override { return {a.inputs[0].tokens, 1}; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(mean_over_columns, MeanOverColumns)

}  // namespace
}  // namespace vitrine::mean_over_columns_operation
#endif
