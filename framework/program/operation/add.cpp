// The sum of two, with broadcast over tokens or columns.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/add.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include "framework/program/broadcast-inl.h"
#include "framework/program/call-inl.h"
#include "framework/program/operation/broadcast.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::add_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  apply_broadcast(call, [](V a, V b) HWY_ATTR { return hn::Add(a, b); });
}

void Backward(const Call& call) {
  for (const Call::Operand& input : call.inputs) {
    if (!input.gradient.at) continue;
    gradient_of_broadcast(call, input, [&](size_t image, size_t t) HWY_ATTR {
      const float* dy = row_of(call.output.gradient, image, t);
      return [dy](size_t i, auto part) HWY_ATTR { return part.load(dy + i); };
    });
  }
}

}  // namespace
}  // namespace vitrine::add_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::add_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class Add : public Operation {
 public:
  Operands operands() const override { return {2}; }
  Shape shape(const Applied& a) const override { return broadcast_shape("add", a); }
  bool passes(const Applied& a, size_t input) const override { return a.inputs[input] == a.output; }
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(add, Add)

}  // namespace
}  // namespace vitrine::add_operation
#endif
