// Of each token's columns: positive, with the sum 1.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/softmax.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include "framework/program/call-inl.h"
#include "framework/simd/softmax-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::softmax_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

constexpr float kLog2E = 1.44269504f;

void forward_of_images(const Call& call) {
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

void backward_of_images(const Call& call) {
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

void forward_of_columns(const Call& call) {
  for_rows(call, call.output.shape.tokens, [&](size_t image, size_t t, size_t) HWY_ATTR {
    softmax_of_row(row_of(call.inputs[0].value, image, t), call.output.shape.columns, 1,
                   row_of(call.output.value, image, t));
  });
}

void backward_of_columns(const Call& call) {
  const auto& x = call.inputs[0];
  const size_t n = call.output.shape.columns;
  for_rows(call, call.output.shape.tokens, [&](size_t image, size_t t, size_t) HWY_ATTR {
    const float* p = row_of(call.output.value, image, t);
    const float* dy = row_of(call.output.gradient, image, t);
    float* dx = row_of(x.gradient, image, t);
    V sum = zero();
    for_vectors(n, [&](size_t i, auto part)
                       HWY_ATTR { sum = hn::MulAdd(part.load(p + i), part.load(dy + i), sum); });
    const V mean = all(sum_of(sum));
    for_vectors(n, [&](size_t i, auto part) HWY_ATTR {
      part.put(hn::Mul(part.load(p + i), hn::Sub(part.load(dy + i), mean)), x.adds, dx + i);
    });
  });
}

void Forward(const Call& call) {
  call.has_columns() ? forward_of_columns(call) : forward_of_images(call);
}
void Backward(const Call& call) {
  call.has_columns() ? backward_of_columns(call) : backward_of_images(call);
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
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(softmax, Softmax)

}  // namespace
}  // namespace vitrine::softmax_operation
#endif
