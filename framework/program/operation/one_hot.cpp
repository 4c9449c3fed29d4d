// 1 in the column of a number, 0 in the others: [n, 1] -> [n, columns].
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/one_hot.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <cstring>

#include "framework/program/call-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::one_hot_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  const size_t columns = call.output.shape.columns;
  for_rows(call, call.output.shape.tokens, [&](size_t image, size_t t, size_t) HWY_ATTR {
    const float* number = row_of(call.inputs[0].value, image, t);
    float* y = row_of(call.output.value, image, t);
    if (call.has_columns()) {
      std::memset(y, 0, columns * sizeof(float));
      y[static_cast<size_t>(*number)] = 1;
      return;
    }
    const V wanted = load(number);
    for (size_t c = 0; c < columns; ++c)
      store(hn::IfThenElseZero(hn::Eq(wanted, all(static_cast<float>(c))), all(1)), y + c * N);
  });
}

}  // namespace
}  // namespace vitrine::one_hot_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::one_hot_operation {
namespace {

HWY_EXPORT(Forward);

class OneHot : public Operation {
 public:
  std::vector<const char*> numbers() const override { return {"columns"}; }
  Shape shape(const Applied& a) const override { return {a.inputs[0].tokens, a.count(0)}; }
  bool is_closed(const Applied&) const override { return false; }
  bool has_gradient() const override { return false; }
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
};

VITRINE_OPERATION(one_hot, OneHot)

}  // namespace
}  // namespace vitrine::one_hot_operation
#endif
