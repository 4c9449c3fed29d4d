// What a task's output should be of this image: the number of a class.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/target.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <algorithm>

#include "framework/simd/matrix-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::target_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

void Forward(const Call& call) {
  const int64_t* targets = call.group.feed->targets[call.count(0)] + call.group.first;
  if (call.has_columns()) {
    for (size_t image = 0; image < call.images; ++image)
      *row_of(call.output.value, image, 0) = static_cast<float>(targets[image]);
    return;
  }
  HWY_ALIGN float lanes[N];
  for (size_t lane = 0; lane < N; ++lane)
    lanes[lane] = static_cast<float>(targets[std::min(lane, call.group.count - 1)]);
  store(load(lanes), call.output.value.at);
}

}  // namespace
}  // namespace vitrine::target_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::target_operation {
namespace {

HWY_EXPORT(Forward);

class Target : public Operation {
 public:
  std::vector<const char*> numbers() const override { return {"task"}; }
  Shape shape(const Applied&) const override { return {1, 1}; }
  bool is_cheap() const override { return true; }
  bool has_gradient() const override { return false; }
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
};

VITRINE_OPERATION(target, Target)

}  // namespace
}  // namespace vitrine::target_operation
#endif
