#include <cmath>

#include "framework/registry/register.h"
#include "framework/training/metric.h"

namespace vitrine {
namespace {

class RootMeanSquaredError : public RegressionMetric {
 public:
  RootMeanSquaredError(const MetricOptions&, const MetricContext& context)
      : RegressionMetric(context) {}

 private:
  Tensor sums_of(const Tensor& outputs, const Tensor& targets) const override {
    return (outputs - targets).square().sum(0);
  }
  double of_value(const double* sums, int64_t, double images) const override {
    return std::sqrt(*sums / images);
  }
};

VITRINE_REGISTER(Metric, RootMeanSquaredError, RegressionMetricOptions,
                 "root of the mean square of the distance of the answers from the targets")

}  // namespace
}  // namespace vitrine
