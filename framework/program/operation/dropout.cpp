// Each number becomes 0 with a probability, else it grows so that the mean stays.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/dropout.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include "framework/program/call-inl.h"
#include "framework/program/draws-inl.h"
#include "framework/program/elementwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::dropout_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void forward_of_images(const Call& call) {
  const float probability = static_cast<float>(call.numbers[0]);
  const LaneDraws draws(call.group, call.count(1));
  const Shape& shape = call.output.shape;
  const V kept = all(1 / (1 - probability));
  uint64_t number = call.count(2) * shape.columns;
  float* saved = call.saved;
  for (size_t t = 0; t < shape.tokens; ++t) {
    const float* x = row_of(call.inputs[0].value, t);
    float* y = row_of(call.output.value, t);
    for (size_t i = 0; i < shape.columns * N; i += N) {
      const V factor = hn::IfThenElseZero(hn::Ge(draws.uniform(number++), all(probability)), kept);
      store(hn::Mul(load(x + i), factor), y + i);
      if (!saved) continue;
      store(factor, saved);
      saved += N;
    }
  }
}

void forward_of_columns(const Call& call) {
  const float probability = static_cast<float>(call.numbers[0]);
  const Shape& shape = call.output.shape;
  const V kept = all(1 / (1 - probability));
  for (size_t image = 0; image < call.images; ++image) {
    const ImageDraws draws(call.group, image, call.count(1));
    for (size_t t = 0; t < shape.tokens; ++t) {
      const float* x = row_of(call.inputs[0].value, image, t);
      float* y = row_of(call.output.value, image, t);
      float* saved = call.saved + (image * shape.tokens + t) * shape.columns;
      for_vectors(shape.columns, [&](size_t i, auto part) HWY_ATTR {
        const V u = draws.uniform((call.count(2) + t) * shape.columns + i);
        const V factor = hn::IfThenElseZero(hn::Ge(u, all(probability)), kept);
        part.store(hn::Mul(part.load(x + i), factor), y + i);
        if (call.saved) part.store(factor, saved + i);
      });
    }
  }
}

void Forward(const Call& call) {
  call.has_columns() ? forward_of_columns(call) : forward_of_images(call);
}
void Backward(const Call& call) { multiply_by_slope(call); }

}  // namespace
}  // namespace vitrine::dropout_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::dropout_operation {
namespace {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

class Dropout : public Operation {
 public:
  std::vector<const char*> numbers() const override { return {"probability", "site", "first"}; }
  Shape shape(const Applied& a) const override { return a.inputs[0]; }
  bool is_closed(const Applied&) const override { return false; }
  std::vector<double> narrowed(const Applied& a, TokenRange tokens) const override {
    return {a.numbers[0], a.numbers[1], a.numbers[2] + static_cast<double>(tokens.begin)};
  }
  bool in_place(const Applied&) const override { return true; }
  size_t saved(const Applied& a) const override { return a.output.size(); }
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(dropout, Dropout)

}  // namespace
}  // namespace vitrine::dropout_operation
#endif
