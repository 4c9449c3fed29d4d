// All tokens one after the other in one: [n, columns] -> [1, n * columns].
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/flatten.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <cstring>

#include "framework/program/call-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::flatten_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  const Shape& shape = call.inputs[0].shape;
  const size_t n = shape.columns * call.unit;
  for_rows(call, shape.tokens, [&](size_t image, size_t t, size_t) {
    std::memcpy(row_of(call.output.value, image, 0) + t * n, row_of(call.inputs[0].value, image, t),
                n * sizeof(float));
  });
}

void Backward(const Call& call) {
  const auto& input = call.inputs[0];
  const size_t n = input.shape.columns * call.unit;
  for_rows(call, input.shape.tokens, [&](size_t image, size_t t, size_t) HWY_ATTR {
    const float* from = row_of(call.output.gradient, image, 0) + t * n;
    float* to = row_of(input.gradient, image, t);
    for_vectors(n, [&](size_t i, auto part)
                       HWY_ATTR { part.put(part.load(from + i), input.adds, to + i); });
  });
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
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(flatten, Flatten)

}  // namespace
}  // namespace vitrine::flatten_operation
#endif
