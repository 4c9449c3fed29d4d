#include "framework/registry/register.h"
#include "framework/training/metric.h"

namespace vitrine {
namespace {

class MeanSquaredError : public RegressionMetric {
 public:
  MeanSquaredError(const MetricOptions&, const MetricContext& context)
      : RegressionMetric(context) {}

 private:
  Tensor sums_of(const Tensor& outputs, const Tensor& targets) const override {
    return (outputs - targets).square().sum(0);
  }
};

VITRINE_REGISTER(Metric, MeanSquaredError, RegressionMetricOptions,
                 "mean square of the distance of the answers from the targets")

}  // namespace
}  // namespace vitrine
