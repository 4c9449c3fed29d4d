// What comes with each image besides its pixels: the number of a class, or other numbers, as a row.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/input.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <algorithm>
#include <cstring>

#include "framework/program/call-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::input_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  const size_t columns = call.output.shape.columns;
  const float* rows = call.group.feed->inputs[call.count(0)] + call.group.first * columns;
  if (call.has_columns()) {
    for (size_t image = 0; image < call.images; ++image) {
      std::memcpy(row_of(call.output.value, image, 0), rows + image * columns,
                  columns * sizeof(float));
    }
    return;
  }
  HWY_ALIGN float lanes[N];
  for (size_t c = 0; c < columns; ++c) {
    for (size_t lane = 0; lane < N; ++lane)
      lanes[lane] = rows[std::min(lane, call.group.count - 1) * columns + c];
    store(load(lanes), call.output.value.at + c * N);
  }
}

}  // namespace
}  // namespace vitrine::input_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::input_operation {
namespace {

HWY_EXPORT(Forward);

class Input : public Operation {
 public:
  Operands operands() const override { return {0}; }
  std::vector<const char*> numbers() const override { return {"input", "columns"}; }
  Shape shape(const Applied& a) const override { return {1, a.count(1)}; }
  bool is_closed(const Applied&) const override { return false; }
  bool is_cheap() const override { return true; }
  bool has_gradient() const override { return false; }
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
};

VITRINE_OPERATION(input, Input)

}  // namespace
}  // namespace vitrine::input_operation
#endif
