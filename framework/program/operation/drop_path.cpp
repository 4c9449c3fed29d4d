// All of an image's numbers become 0 with a probability, else they grow so that the mean stays.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/drop_path.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include "framework/simd/draws-inl.h"
#include "framework/simd/matrix-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::drop_path_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

V factor_of(const Call& call) {
  const float probability = static_cast<float>(call.numbers[0]);
  const V u = LaneDraws(call.group, call.count(1)).uniform(0);
  return hn::IfThenElseZero(hn::Ge(u, all(probability)), all(1 / (1 - probability)));
}

void Forward(const Call& call) {
  const V factor = factor_of(call);
  for (size_t t = 0; t < call.output.shape.tokens; ++t) {
    const float* x = row_of(call.inputs[0].value, t);
    float* y = row_of(call.output.value, t);
    for (size_t i = 0; i < call.output.shape.columns * N; i += N)
      store(hn::Mul(load(x + i), factor), y + i);
  }
}

void Backward(const Call& call) {
  const V factor = factor_of(call);
  const auto& x = call.inputs[0];
  for (size_t t = 0; t < call.output.shape.tokens; ++t) {
    const float* dy = row_of(call.output.gradient, t);
    float* dx = row_of(x.gradient, t);
    for (size_t i = 0; i < call.output.shape.columns * N; i += N)
      put(hn::Mul(load(dy + i), factor), x.adds, dx + i);
  }
}

}  // namespace
}  // namespace vitrine::drop_path_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::drop_path_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class DropPath : public Operation {
 public:
  std::vector<const char*> numbers() const override { return {"probability", "site"}; }
  Shape shape(const Applied& a) const override { return a.inputs[0]; }
  bool in_place(const Applied&) const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(drop_path, DropPath)

}  // namespace
}  // namespace vitrine::drop_path_operation
#endif
