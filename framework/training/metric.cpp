#include "framework/training/metric.h"

#include <ATen/ops/bincount.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>

namespace vitrine {

Tensor probabilities_of(const Tensor& outputs, const Task& task) {
  if (task.type == TaskType::kMultiLabel) return at::sigmoid(outputs);
  return task.probabilities ? outputs : at::softmax(outputs, 1);
}

Tensor labels_answered(const Tensor& outputs) { return outputs.gt(0); }

std::string answer_text(const Tensor& output, const Task& task) {
  if (task.type == TaskType::kClassification)
    return task.names[static_cast<size_t>(output.argmax().item<int64_t>())];
  const Tensor plain = output.to(at::kCPU, at::kFloat);
  std::vector<std::string> words;
  for (int64_t i = 0; i < task.outputs(); ++i) {
    const float number = plain[i].item<float>();
    if (task.type == TaskType::kRegression) words.push_back(fmt::format("{:.4g}", number));
    if (task.type == TaskType::kMultiLabel && number > 0)
      words.push_back(task.names[static_cast<size_t>(i)]);
  }
  return words.empty() ? "none" : fmt::format("{}", fmt::join(words, ", "));
}

void ClassCounts::add(const Tensor& outputs, const Tensor& targets, const Tensor& sums) const {
  if (is_multi_label_) {
    const Tensor answers = labels_answered(outputs), wanted = targets.gt(0);
    const Tensor counts =
        at::cat({answers.logical_and(wanted).sum(0), answers.sum(0), wanted.sum(0)});
    sums.add_(counts.to(sums.device(), at::kDouble));
    return;
  }
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
    if (!is_multi_label_ && !counts(counts_of_class)) continue;
    total += of_class(counts_of_class);
    n += 1;
  }
  return n > 0 ? total / n : std::numeric_limits<double>::quiet_NaN();
}

void RegressionMetric::add(const Tensor& outputs, const Tensor& targets, const Tensor& sums) const {
  const Tensor added =
      sums_of(outputs.to(sums.device(), at::kDouble), targets.to(sums.device(), at::kDouble));
  sums.add_(added.reshape({-1}));
}

double RegressionMetric::value(const double* sums, double images) const {
  double total = 0;
  for (int64_t i = 0; i < values_; ++i) total += of_value(sums + i, values_, images);
  return total / static_cast<double>(values_);
}

}  // namespace vitrine
