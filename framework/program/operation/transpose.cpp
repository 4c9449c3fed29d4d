// Tokens become columns, and columns tokens.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/transpose.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include "framework/program/call-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::transpose_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  const Shape& shape = call.output.shape;
  const auto& input = call.inputs[0];
  for_rows(call, shape.tokens, [&](size_t image, size_t t, size_t) HWY_ATTR {
    float* to = row_of(call.output.value, image, t);
    if (call.has_columns()) {
      for (size_t c = 0; c < shape.columns; ++c) to[c] = row_of(input.value, image, c)[t];
    } else {
      for (size_t c = 0; c < shape.columns; ++c)
        store(load(row_of(input.value, c) + t * N), to + c * N);
    }
  });
}

void Backward(const Call& call) {
  const auto& input = call.inputs[0];
  for_rows(call, input.shape.tokens, [&](size_t image, size_t t, size_t) HWY_ATTR {
    float* to = row_of(input.gradient, image, t);
    for (size_t c = 0; c < input.shape.columns; ++c) {
      if (call.has_columns()) {
        to[c] = row_of(call.output.gradient, image, c)[t] + (input.adds ? to[c] : 0);
      } else {
        put(load(row_of(call.output.gradient, c) + t * N), input.adds, to + c * N);
      }
    }
  });
}

}  // namespace
}  // namespace vitrine::transpose_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::transpose_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class Transpose : public Operation {
 public:
  Shape shape(const Applied& a) const override { return {a.inputs[0].columns, a.inputs[0].tokens}; }
  std::vector<TokenRange> reads(const Applied& a, TokenRange) const override {
    return {{0, a.inputs[0].tokens}};
  }
  bool narrows() const override { return false; }
  bool is_cheap() const override { return true; }
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(transpose, Transpose)

}  // namespace
}  // namespace vitrine::transpose_operation
#endif
