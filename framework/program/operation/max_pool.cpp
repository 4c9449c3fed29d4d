// The largest number of each channel in a window that moves over a map of features [height * width,
// channels].
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/max_pool.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <cstring>

#include "framework/program/call-inl.h"
#include "framework/program/operation/window.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::max_pool_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

Window window_of(const Call& call) {
  const auto n = [&](size_t i) { return call.count(i); };
  return {n(0), n(1), n(2), n(3), n(4), n(5), 0, 0};
}

void Forward(const Call& call) {
  const Window window = window_of(call);
  const size_t n = call.output.shape.columns * N;
  for (size_t t = 0; t < call.output.shape.tokens; ++t) {
    float* y = row_of(call.output.value, t);
    window.for_each(t, [&](size_t token, size_t place) HWY_ATTR {
      const float* x = row_of(call.inputs[0].value, token);
      for (size_t i = 0; i < n; i += N)
        store(place == 0 ? load(x + i) : hn::Max(load(y + i), load(x + i)), y + i);
    });
  }
}

// The first of equal numbers gets the gradient, as in libtorch.
void Backward(const Call& call) {
  const Window window = window_of(call);
  const auto& x = call.inputs[0];
  const size_t n = call.output.shape.columns * N;
  for (size_t t = 0; !x.adds && t < x.shape.tokens; ++t)
    std::memset(row_of(x.gradient, t), 0, n * sizeof(float));
  for (size_t t = 0; t < call.output.shape.tokens; ++t) {
    const float *y = row_of(call.output.value, t), *dy = row_of(call.output.gradient, t);
    for (size_t i = 0; i < n; i += N) {
      V left = load(dy + i);
      const V maximum = load(y + i);
      window.for_each(t, [&](size_t token, size_t) HWY_ATTR {
        const auto found = hn::Eq(load(row_of(x.value, token) + i), maximum);
        float* dx = row_of(x.gradient, token) + i;
        store(hn::Add(load(dx), hn::IfThenElseZero(found, left)), dx);
        left = hn::IfThenZeroElse(found, left);
      });
    }
  }
}

}  // namespace
}  // namespace vitrine::max_pool_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::max_pool_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

Window window_of(const Applied& a) {
  const auto n = [&](size_t i) { return a.count(i); };
  return {n(0), n(1), n(2), n(3), n(4), n(5), 0, 0};
}

class MaxPool : public Operation {
 public:
  std::vector<const char*> numbers() const override {
    return {"height", "width", "kernel_height", "kernel_width", "stride_y", "stride_x"};
  }
  Shape shape(const Applied& a) const override {
    const Window window = window_of(a);
    const std::string misfit = window.misfit(a.inputs[0].tokens);
    if (!misfit.empty()) refuse_operands("max_pool", misfit);
    return {window.out_size(), a.inputs[0].columns};
  }
  std::vector<TokenRange> reads(const Applied& a, TokenRange) const override {
    return {{0, a.inputs[0].tokens}};
  }
  bool narrows() const override { return false; }
  Needs needs(const Applied&) const override { return {1, true}; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(max_pool, MaxPool)

}  // namespace
}  // namespace vitrine::max_pool_operation
#endif
