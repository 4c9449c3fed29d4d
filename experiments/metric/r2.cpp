#include <ATen/ops/stack.h>

#include <limits>

#include "framework/registry/register.h"
#include "framework/training/metric.h"

namespace vitrine {
namespace {

// The coefficient of determination; of several values the mean of theirs.
class R2 : public RegressionMetric {
 public:
  R2(const MetricOptions&, const MetricContext& context) : RegressionMetric(context, 3) {}

  std::string goal() const override { return "max"; }

 private:
  // Of the squares of errors, of the targets and of their squares.
  Tensor sums_of(const Tensor& outputs, const Tensor& targets) const override {
    return at::stack(
        {(outputs - targets).square().sum(0), targets.sum(0), targets.square().sum(0)});
  }
  double of_value(const double* sums, int64_t stride, double images) const override {
    const double errors = sums[0], mean = sums[stride] / images, squares = sums[2 * stride];
    const double spread = squares - images * mean * mean;
    // Of equal targets it tells nothing; what rounding leaves of them is no spread.
    constexpr double kRounding = 1e-12;
    return spread > kRounding * squares ? 1 - errors / spread
                                        : std::numeric_limits<double>::quiet_NaN();
  }
};

VITRINE_REGISTER(
    Metric, R2, RegressionMetricOptions,
    "share of the variance of the targets that the answers tell: 1 at most, 0 for their mean")

}  // namespace
}  // namespace vitrine
