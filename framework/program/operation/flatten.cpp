// All tokens one after the other in one: [n, columns] -> [1, n * columns].
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/flatten.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include "framework/simd/matrix-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::flatten_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  const Shape& shape = call.inputs[0].shape;
  for (size_t t = 0; t < shape.tokens; ++t) {
    const float* from = row_of(call.inputs[0].value, t);
    float* to = call.output.value.at + t * shape.columns * N;
    for (size_t i = 0; i < shape.columns * N; i += N) store(load(from + i), to + i);
  }
}

void Backward(const Call& call) {
  const auto& input = call.inputs[0];
  for (size_t t = 0; t < input.shape.tokens; ++t) {
    const float* from = call.output.gradient.at + t * input.shape.columns * N;
    float* to = row_of(input.gradient, t);
    for (size_t i = 0; i < input.shape.columns * N; i += N) put(load(from + i), input.adds, to + i);
  }
}

}  // namespace
}  // namespace vitrine::flatten_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::flatten_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class Flatten : public Operation {
 public:
  Shape shape(const Applied& a) const override { return {1, a.inputs[0].size()}; }
  std::vector<TokenRange> reads(const Applied& a, TokenRange) const override {
    return {{0, a.inputs[0].tokens}};
  }
  bool narrows() const override { return false; }
  bool is_cheap() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(flatten, Flatten)

}  // namespace
}  // namespace vitrine::flatten_operation
#endif
