// The mean of all tokens.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/mean_over_tokens.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include "framework/program/call-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::mean_over_tokens_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  const auto& x = call.inputs[0];
  const V share = all(1.0f / static_cast<float>(x.shape.tokens));
  for (size_t image = 0; image < call.images; ++image) {
    for_vectors(x.shape.columns * call.unit, [&](size_t i, auto part) HWY_ATTR {
      V sum = zero();
      for (size_t t = 0; t < x.shape.tokens; ++t)
        sum = hn::Add(sum, part.load(row_of(x.value, image, t) + i));
      part.store(hn::Mul(sum, share), row_of(call.output.value, image, 0) + i);
    });
  }
}

void Backward(const Call& call) {
  const auto& x = call.inputs[0];
  const V share = all(1.0f / static_cast<float>(x.shape.tokens));
  for_rows(call, x.shape.tokens, [&](size_t image, size_t t, size_t) HWY_ATTR {
    const float* dy = row_of(call.output.gradient, image, 0);
    float* dx = row_of(x.gradient, image, t);
    for_vectors(x.shape.columns * call.unit, [&](size_t i, auto part) HWY_ATTR {
      part.put(hn::Mul(part.load(dy + i), share), x.adds, dx + i);
    });
  });
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
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(mean_over_tokens, MeanOverTokens)

}  // namespace
}  // namespace vitrine::mean_over_tokens_operation
#endif
