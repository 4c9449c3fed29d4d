// All of an image's numbers become 0 with a probability, else they grow so that the mean stays.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/drop_path.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include "framework/program/call-inl.h"
#include "framework/program/draws-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::drop_path_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

// y = x times the factor of each image, or what is there and that.
void scale_images(const Call& call, const Matrix& from, bool adds, const Matrix& to) {
  const auto probability = all(static_cast<float>(call.numbers[0]));
  const V kept = all(1 / (1 - static_cast<float>(call.numbers[0])));
  const auto factor_of = [&](V u)
                             HWY_ATTR { return hn::IfThenElseZero(hn::Ge(u, probability), kept); };
  for (size_t image = 0; image < call.images; ++image) {
    const V factor =
        call.has_columns()
            ? factor_of(all(hn::GetLane(ImageDraws(call.group, image, call.count(1)).uniform(0))))
            : factor_of(LaneDraws(call.group, call.count(1)).uniform(0));
    for (size_t t = 0; t < call.output.shape.tokens; ++t) {
      const float* x = row_of(from, image, t);
      float* y = row_of(to, image, t);
      for_vectors(call.output.shape.columns * call.unit, [&](size_t i, auto part) HWY_ATTR {
        part.put(hn::Mul(part.load(x + i), factor), adds, y + i);
      });
    }
  }
}

void Forward(const Call& call) {
  scale_images(call, call.inputs[0].value, false, call.output.value);
}
void Backward(const Call& call) {
  scale_images(call, call.output.gradient, call.inputs[0].adds, call.inputs[0].gradient);
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
  bool is_closed(const Applied&) const override { return false; }
  bool in_place(const Applied&) const override { return true; }
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
  void backward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Backward)(call); }
};

VITRINE_OPERATION(drop_path, DropPath)

}  // namespace
}  // namespace vitrine::drop_path_operation
#endif
