#include <ATen/ops/bincount.h>

#include <limits>

#include "framework/registry/register.h"
#include "framework/training/metric.h"

namespace vitrine {
namespace {

// Bins of the log-odds: 32 for each doubling by e, between odds of e^-16 and e^16. Within one, what
// is met counts half.
constexpr int64_t kBins = 1024;
constexpr double kMostLogOdds = 16;

// Area under the receiver operating characteristic (Hanley and McNeil 1982): of two classes that
// of the second one, else the mean of each class against the rest; of several labels the mean of
// those that some images have and others have not.
class Auroc : public Metric {
 public:
  Auroc(const MetricOptions&, const MetricContext& context)
      : task_(context.task), scores_(is_of_two() ? 1 : task_.outputs()) {}

  // Of each score the images of its class in each bin, then the others.
  int64_t width() const override { return scores_ * 2 * kBins; }

  void add(const Tensor& outputs, const Tensor& targets, const Tensor& sums) const override {
    const Tensor p = probabilities_of(outputs, task_).to(sums.device(), at::kDouble);
    const Tensor log_odds = (p / (1 - p)).log().nan_to_num(0).clamp(-kMostLogOdds, kMostLogOdds);
    const Tensor bins = ((log_odds + kMostLogOdds) * (kBins / (2 * kMostLogOdds)))
                            .to(at::kLong)
                            .clamp_max(kBins - 1);
    const Tensor wanted = targets.to(sums.device());
    for (int64_t s = 0; s < scores_; ++s) {
      const int64_t c = is_of_two() ? 1 : s;
      const Tensor others = is_multi_label() ? wanted.select(1, c).eq(0) : wanted.ne(c);
      const Tensor place = bins.select(1, c) + others * kBins;
      sums.narrow(0, s * 2 * kBins, 2 * kBins).add_(at::bincount(place, {}, 2 * kBins));
    }
  }

  double value(const double* sums, double /*images*/) const override {
    double total = 0, n = 0;
    for (int64_t s = 0; s < scores_; ++s, sums += 2 * kBins) {
      double below = 0, ordered = 0, positives = 0;
      for (int64_t bin = 0; bin < kBins; ++bin) {
        ordered += sums[bin] * (below + sums[kBins + bin] / 2);
        below += sums[kBins + bin];
        positives += sums[bin];
      }
      if (positives == 0 || below == 0) continue;
      total += ordered / (positives * below);
      n += 1;
    }
    return n > 0 ? total / n : std::numeric_limits<double>::quiet_NaN();
  }

 private:
  bool is_multi_label() const { return task_.type == TaskType::kMultiLabel; }
  bool is_of_two() const { return !is_multi_label() && task_.outputs() == 2; }

  Task task_;
  int64_t scores_;
};

VITRINE_REGISTER(Metric, Auroc, LabelMetricOptions,
                 "area under the ROC curve, of more than two classes the mean of each against the "
                 "rest, of several labels the mean of each")

}  // namespace
}  // namespace vitrine
