// The mean of each token's columns.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/mean_over_columns.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include "framework/program/call-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::mean_over_columns_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  const auto& x = call.inputs[0];
  const float share = 1.0f / static_cast<float>(x.shape.columns);
  for_rows(call, x.shape.tokens, [&](size_t image, size_t t, size_t) HWY_ATTR {
    const float* row = row_of(x.value, image, t);
    float* to = row_of(call.output.value, image, t);
    V sum = zero();
    for_vectors(x.shape.columns * call.unit,
                [&](size_t i, auto part) HWY_ATTR { sum = hn::Add(sum, part.load(row + i)); });
    if (call.has_columns()) {
      *to = sum_of(sum) * share;
    } else {
      store(hn::Mul(sum, all(share)), to);
    }
  });
}

void Backward(const Call& call) {
  const auto& x = call.inputs[0];
  const V share = all(1.0f / static_cast<float>(x.shape.columns));
  for_rows(call, x.shape.tokens, [&](size_t image, size_t t, size_t) HWY_ATTR {
    const float* dy = row_of(call.output.gradient, image, t);
    const V d = hn::Mul(call.has_columns() ? all(*dy) : load(dy), share);
    float* dx = row_of(x.gradient, image, t);
    for_vectors(x.shape.columns * call.unit,
                [&](size_t i, auto part) HWY_ATTR { part.put(d, x.adds, dx + i); });
  });
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
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(mean_over_columns, MeanOverColumns)

}  // namespace
}  // namespace vitrine::mean_over_columns_operation
#endif
