#include <ATen/ops/bincount.h>

#include <cmath>

#include "framework/registry/register.h"
#include "framework/training/metric.h"

namespace vitrine {
namespace {

struct Options : MetricOptions {
  int64_t bins = 15;

  void visit(Fields& field) {
    MetricOptions::visit(field);
    field("bins", bins, "bins of equal width that the confidence is cut into", between(1, 10'000))
        .words({"n_bins"});
  }
};

// Naeini et al. 2015; Guo et al. 2017, "On Calibration of Modern Neural Networks": how far the
// probability of the answer is from the share of answers that are right.
class ExpectedCalibrationError : public Metric {
 public:
  ExpectedCalibrationError(const Options& options, const MetricContext& context)
      : task_(context.task), bins_(options.bins) {}

  std::string goal() const override { return "min"; }
  // Of each bin how many of its answers are right, then the sum of their probabilities.
  int64_t width() const override { return 2 * bins_; }

  void add(const Tensor& outputs, const Tensor& targets, const Tensor& sums) const override {
    const Tensor p = probabilities_of(outputs, task_).to(sums.device(), at::kDouble);
    const auto [confidence, answer] = p.max(1);
    const Tensor bin = (confidence * bins_).to(at::kLong).clamp(0, bins_ - 1);
    const auto add_to = [&](int64_t place, const Tensor& weights) {
      sums.narrow(0, place * bins_, bins_).add_(at::bincount(bin, weights, bins_));
    };
    add_to(0, answer.eq(targets.to(sums.device())).to(at::kDouble));
    add_to(1, confidence);
  }
  double value(const double* sums, double images) const override {
    double out = 0;
    for (int64_t bin = 0; bin < bins_; ++bin) out += std::abs(sums[bin] - sums[bins_ + bin]);
    return out / images;
  }

 private:
  Task task_;
  int64_t bins_;
};

VITRINE_REGISTER(Metric, ExpectedCalibrationError, Options,
                 "mean distance between an answer's probability and how often such are right")

}  // namespace
}  // namespace vitrine
