// Of each token the column of a number that is a value itself: x [n, columns], numbers [n, 1].
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/pick.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <fmt/format.h>

#include <cstring>

#include "framework/program/call-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::pick_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  const auto &x = call.inputs[0], &numbers = call.inputs[1];
  for_rows(call, call.output.shape.tokens, [&](size_t image, size_t t, size_t) HWY_ATTR {
    const float *row = row_of(x.value, image, t), *number = row_of(numbers.value, image, t);
    float* to = row_of(call.output.value, image, t);
    if (call.has_columns()) {
      *to = row[static_cast<size_t>(*number)];
      return;
    }
    const V wanted = load(number);
    V out = zero();
    for (size_t c = 0; c < x.shape.columns; ++c)
      out = hn::IfThenElse(hn::Eq(wanted, all(static_cast<float>(c))), load(row + c * N), out);
    store(out, to);
  });
}

void Backward(const Call& call) {
  const auto &x = call.inputs[0], &numbers = call.inputs[1];
  for_rows(call, call.output.shape.tokens, [&](size_t image, size_t t, size_t) HWY_ATTR {
    const float* number = row_of(numbers.value, image, t);
    const float* dy = row_of(call.output.gradient, image, t);
    float* dx = row_of(x.gradient, image, t);
    if (call.has_columns()) {
      if (!x.adds) std::memset(dx, 0, x.shape.columns * sizeof(float));
      dx[static_cast<size_t>(*number)] += *dy;
      return;
    }
    const V wanted = load(number), d = load(dy);
    for (size_t c = 0; c < x.shape.columns; ++c) {
      put(hn::IfThenElseZero(hn::Eq(wanted, all(static_cast<float>(c))), d), x.adds, dx + c * N);
    }
  });
}

}  // namespace
}  // namespace vitrine::pick_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::pick_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class Pick : public Operation {
 public:
  Operands operands() const override { return {2}; }
  Shape shape(const Applied& a) const override {
    if (a.inputs[1] != Shape{a.inputs[0].tokens, 1}) {
      refuse_operands("pick", fmt::format("numbers of {} for {} tokens", to_string(a.inputs[1]),
                                          a.inputs[0].tokens));
    }
    return a.inputs[1];
  }
  bool is_closed(const Applied&) const override { return false; }
  Needs needs(const Applied&) const override { return {2, false}; }
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(pick, Pick)

}  // namespace
}  // namespace vitrine::pick_operation
#endif
