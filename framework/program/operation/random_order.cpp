// A random order of the numbers from 0 on, another one for each image: in the first column which
// number stands at each place, in the second at which place each number stands.
#ifndef VITRINE_TOGETHER
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "framework/program/operation/random_order.cpp"
#include "framework/simd/targets.h"
#endif
// After it:
#include <algorithm>

#include "framework/draws.h"
#include "framework/program/call-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::random_order_operation::HWY_NAMESPACE {
namespace {

using namespace simd::HWY_NAMESPACE;

// Writes the order of one image, whose rows are `row` floats apart and whose columns `column`.
void write(const Call& call, size_t image, float* at, size_t row, size_t column) {
  const Feed& feed = *call.group.feed;
  const size_t n = call.count(0);
  const auto place = static_cast<int64_t>(call.group.first + image);
  const Draws draws(feed.seed, feed.epoch, feed.image_numbers ? feed.image_numbers[place] : place,
                    model_salt(call.count(1)));
  thread_local std::vector<std::pair<float, size_t>> drawn;
  drawn.resize(n);
  for (size_t i = 0; i < n; ++i) drawn[i] = {draws.uniform_at(i), i};
  std::sort(drawn.begin(), drawn.end());
  for (size_t i = 0; i < n; ++i) {
    at[i * row] = static_cast<float>(drawn[i].second);
    at[drawn[i].second * row + column] = static_cast<float>(i);
  }
}

void Forward(const Call& call) {
  const Matrix& y = call.output.value;
  for (size_t image = 0; call.has_columns() && image < call.images; ++image)
    write(call, image, row_of(y, image, 0), y.row, 1);
  for (size_t lane = 0; !call.has_columns() && lane < N; ++lane)
    write(call, std::min(lane, call.group.count - 1), y.at + lane, y.row, N);
}

}  // namespace
}  // namespace vitrine::random_order_operation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::random_order_operation {
namespace {

HWY_EXPORT(Forward);

class RandomOrder : public Operation {
 public:
  Operands operands() const override { return {0}; }
  std::vector<const char*> numbers() const override { return {"count", "site"}; }
  Shape shape(const Applied& a) const override { return {a.count(0), 2}; }
  bool is_closed(const Applied&) const override { return false; }
  bool narrows() const override { return false; }
  bool has_gradient() const override { return false; }
  bool has_columns_layout() const override { return true; }
  void forward(const Call& call) const override { HWY_DYNAMIC_DISPATCH(Forward)(call); }
};

VITRINE_OPERATION(random_order, RandomOrder)

}  // namespace
}  // namespace vitrine::random_order_operation
#endif
