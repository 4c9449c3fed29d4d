// Of each token the column of a number that is a value itself: x [n, columns], numbers [n, 1].
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/pick.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <fmt/format.h>

#include "framework/simd/matrix-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::pick_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  for (size_t t = 0; t < call.output.shape.tokens; ++t) {
    const V number = load(row_of(call.inputs[1].value, t));
    const float* x = row_of(call.inputs[0].value, t);
    V out = zero();
    for (size_t c = 0; c < call.inputs[0].shape.columns; ++c)
      out = hn::IfThenElse(hn::Eq(number, all(static_cast<float>(c))), load(x + c * N), out);
    store(out, row_of(call.output.value, t));
  }
}

void Backward(const Call& call) {
  const auto& x = call.inputs[0];
  for (size_t t = 0; t < call.output.shape.tokens; ++t) {
    const V number = load(row_of(call.inputs[1].value, t));
    const V d = load(row_of(call.output.gradient, t));
    float* dx = row_of(x.gradient, t);
    for (size_t c = 0; c < x.shape.columns; ++c)
      put(hn::IfThenElseZero(hn::Eq(number, all(static_cast<float>(c))), d), x.adds, dx + c * N);
  }
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
  Shape shape(const Applied& a) const override {
    if (a.inputs[1] != Shape{a.inputs[0].tokens, 1}) {
      refuse_operands("pick", fmt::format("numbers of {} for {} tokens", to_string(a.inputs[1]),
                                          a.inputs[0].tokens));
    }
    return a.inputs[1];
  }
  Needs needs(const Applied&) const override { return {2, false}; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(pick, Pick)

}  // namespace
}  // namespace vitrine::pick_operation
#endif
