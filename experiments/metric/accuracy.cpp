#include <algorithm>

#include "framework/registry/register.h"
#include "framework/training/metric.h"

namespace vitrine {
namespace {

// How many rows are largest at the target. Of a small batch on the CPU, libtorch's operations cost
// more than the counting.
double count_correct(const Tensor& outputs, const Tensor& targets) {
  const auto rows = outputs.accessor<float, 2>();
  const auto wanted = targets.accessor<int64_t, 1>();
  int64_t correct = 0;
  for (int64_t i = 0; i < rows.size(0); ++i) {
    const float* row = rows[i].data();
    correct += std::max_element(row, row + rows.size(1)) - row == wanted[i];
  }
  return static_cast<double>(correct);
}

class Accuracy : public Metric {
 public:
  Accuracy(const MetricOptions&, const MetricContext& context)
      : is_multi_label_(context.task.type == TaskType::kMultiLabel),
        answers_(is_multi_label_ ? context.task.outputs() : 1) {}

  int64_t width() const override { return 1; }
  void add(const Tensor& outputs, const Tensor& targets, const Tensor& sums) const override {
    if (is_multi_label_) {
      sums.add_(labels_answered(outputs).eq(targets.gt(0)).sum().to(sums.device()));
    } else if (outputs.is_cpu()) {
      sums.data_ptr<double>()[0] += count_correct(outputs.to(at::kFloat).contiguous(), targets);
    } else {
      sums.add_(outputs.argmax(1).eq(targets).sum().to(sums.device()));
    }
  }
  double value(const double* sums, double images) const override {
    return sums[0] / (images * static_cast<double>(answers_));
  }

 private:
  bool is_multi_label_;
  int64_t answers_;  // of an image
};

VITRINE_REGISTER(Metric, Accuracy, LabelMetricOptions,
                 "share of images whose answer is right; of several labels the share of all their "
                 "answers")

}  // namespace
}  // namespace vitrine
