// The mean of each channel in a window that moves over a map of features [height * width,
// channels].
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/mean_pool.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <cstring>

#include "framework/program/call-inl.h"
#include "framework/program/operation/window.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::mean_pool_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

Window window_of(const Call& call) {
  const auto n = [&](size_t i) { return call.count(i); };
  return {n(0), n(1), n(2), n(3), n(4), n(5), 0, 0};
}

void Forward(const Call& call) {
  const Window window = window_of(call);
  const size_t n = call.output.shape.columns * N;
  const V share = all(1.0f / static_cast<float>(window.kernel_height * window.kernel_width));
  for (size_t t = 0; t < call.output.shape.tokens; ++t) {
    float* y = row_of(call.output.value, t);
    window.for_each(t, [&](size_t token, size_t place) HWY_ATTR {
      const float* x = row_of(call.inputs[0].value, token);
      for (size_t i = 0; i < n; i += N)
        store(place == 0 ? load(x + i) : hn::Add(load(y + i), load(x + i)), y + i);
    });
    for (size_t i = 0; i < n; i += N) store(hn::Mul(load(y + i), share), y + i);
  }
}

void Backward(const Call& call) {
  const Window window = window_of(call);
  const auto& x = call.inputs[0];
  const size_t n = call.output.shape.columns * N;
  const V share = all(1.0f / static_cast<float>(window.kernel_height * window.kernel_width));
  for (size_t t = 0; !x.adds && t < x.shape.tokens; ++t)
    std::memset(row_of(x.gradient, t), 0, n * sizeof(float));
  for (size_t t = 0; t < call.output.shape.tokens; ++t) {
    const float* dy = row_of(call.output.gradient, t);
    window.for_each(t, [&](size_t token, size_t) HWY_ATTR {
      float* dx = row_of(x.gradient, token);
      for (size_t i = 0; i < n; i += N)
        store(hn::MulAdd(load(dy + i), share, load(dx + i)), dx + i);
    });
  }
}

}  // namespace
}  // namespace vitrine::mean_pool_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::mean_pool_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

Window window_of(const Applied& a) {
  const auto n = [&](size_t i) { return a.count(i); };
  return {n(0), n(1), n(2), n(3), n(4), n(5), 0, 0};
}

class MeanPool : public Operation {
 public:
  std::vector<const char*> numbers() const override {
    return {"height", "width", "kernel_height", "kernel_width", "stride_y", "stride_x"};
  }
  Shape shape(const Applied& a) const override {
    const Window window = window_of(a);
    const std::string misfit = window.misfit(a.inputs[0].tokens);
    if (!misfit.empty()) refuse_operands("mean_pool", misfit);
    return {window.out_size(), a.inputs[0].columns};
  }
  std::vector<TokenRange> reads(const Applied& a, TokenRange) const override {
    return {{0, a.inputs[0].tokens}};
  }
  bool narrows() const override { return false; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(mean_pool, MeanPool)

}  // namespace
}  // namespace vitrine::mean_pool_operation
#endif
