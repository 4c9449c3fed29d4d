// The logarithm of the softmax of each token's columns.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/log_softmax.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <cmath>

#include "framework/program/call-inl.h"
#include "framework/simd/softmax-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::log_softmax_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

constexpr float kLog2E = 1.44269504f;

V exp(V x) { return exp2(hn::Mul(x, all(kLog2E))); }

void forward_of_images(const Call& call) {
  const size_t n = call.output.shape.columns * N;
  for (size_t t = 0; t < call.output.shape.tokens; ++t) {
    const float* x = row_of(call.inputs[0].value, t);
    float* y = row_of(call.output.value, t);
    V maximum = load(x), sum = zero();
    for (size_t i = N; i < n; i += N) maximum = hn::Max(maximum, load(x + i));
    for (size_t i = 0; i < n; i += N) {
      const V ahead = hn::Sub(load(x + i), maximum);
      sum = hn::Add(sum, exp(ahead));
      store(ahead, y + i);
    }
    const V shift = log(sum);
    for (size_t i = 0; i < n; i += N) store(hn::Sub(load(y + i), shift), y + i);
  }
}

void backward_of_images(const Call& call) {
  const auto& x = call.inputs[0];
  const size_t n = call.output.shape.columns * N;
  for (size_t t = 0; t < call.output.shape.tokens; ++t) {
    const float *y = row_of(call.output.value, t), *dy = row_of(call.output.gradient, t);
    float* dx = row_of(x.gradient, t);
    V sum = zero();
    for (size_t i = 0; i < n; i += N) sum = hn::Add(sum, load(dy + i));
    for (size_t i = 0; i < n; i += N)
      put(hn::NegMulAdd(exp(load(y + i)), sum, load(dy + i)), x.adds, dx + i);
  }
}

void forward_of_columns(const Call& call) {
  const size_t n = call.output.shape.columns;
  for_rows(call, call.output.shape.tokens, [&](size_t image, size_t t, size_t) HWY_ATTR {
    const float* x = row_of(call.inputs[0].value, image, t);
    float* y = row_of(call.output.value, image, t);
    const float maximum = maximum_of_row(x, n);
    const V shift = all(maximum + std::log(exp_of_row(x, n, 1, maximum, y)));
    for_vectors(n, [&](size_t i, auto part)
                       HWY_ATTR { part.store(hn::Sub(part.load(x + i), shift), y + i); });
  });
}

void backward_of_columns(const Call& call) {
  const auto& x = call.inputs[0];
  const size_t n = call.output.shape.columns;
  for_rows(call, call.output.shape.tokens, [&](size_t image, size_t t, size_t) HWY_ATTR {
    const float* y = row_of(call.output.value, image, t);
    const float* dy = row_of(call.output.gradient, image, t);
    float* dx = row_of(x.gradient, image, t);
    V sum = zero();
    for_vectors(n, [&](size_t i, auto part) HWY_ATTR { sum = hn::Add(sum, part.load(dy + i)); });
    const V all_of_it = all(sum_of(sum));
    for_vectors(n, [&](size_t i, auto part) HWY_ATTR {
      part.put(hn::NegMulAdd(exp(part.load(y + i)), all_of_it, part.load(dy + i)), x.adds, dx + i);
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
}  // namespace vitrine::log_softmax_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::log_softmax_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class LogSoftmax : public Operation {
 public:
  Shape shape(const Applied& a) const override { return a.inputs[0]; }
  Needs needs(const Applied&) const override { return {0, true}; }
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(log_softmax, LogSoftmax)

}  // namespace
}  // namespace vitrine::log_softmax_operation
#endif
