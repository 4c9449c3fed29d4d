#include "framework/training/metric.h"

#include <ATen/ops/bincount.h>
#include <ATen/ops/softmax.h>

#include <limits>

namespace vitrine {

Tensor probabilities_of(const Tensor& outputs, const Task& task) {
  return task.probabilities ? outputs : at::softmax(outputs, 1);
}

void ClassCounts::add(const Tensor& outputs, const Tensor& targets, Tensor& sums) const {
  const Tensor answers = outputs.argmax(1);
  const Tensor right = answers.eq(targets).to(at::kFloat);
  const auto add_to = [&](int64_t place, const Tensor& numbers, const Tensor& weights) {
    const Tensor counts = at::bincount(numbers, weights, classes_);
    sums.narrow(0, place * classes_, classes_).add_(counts.to(sums.device(), at::kDouble));
  };
  add_to(0, targets, right);
  add_to(1, answers, {});
  add_to(2, targets, {});
}

double ClassCounts::value(const double* sums, double /*images*/) const {
  double total = 0, n = 0;
  for (int64_t c = 0; c < classes_; ++c) {
    const Counts counts_of_class{sums[c], sums[classes_ + c], sums[2 * classes_ + c]};
    if (!counts(counts_of_class)) continue;
    total += of_class(counts_of_class);
    n += 1;
  }
  return n > 0 ? total / n : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace vitrine
