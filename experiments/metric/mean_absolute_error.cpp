#include "framework/registry/register.h"
#include "framework/training/metric.h"

namespace vitrine {
namespace {

class MeanAbsoluteError : public RegressionMetric {
 public:
  MeanAbsoluteError(const MetricOptions&, const MetricContext& context)
      : RegressionMetric(context) {}

 private:
  Tensor sums_of(const Tensor& outputs, const Tensor& targets) const override {
    return (outputs - targets).abs().sum(0);
  }
};

VITRINE_REGISTER(Metric, MeanAbsoluteError, RegressionMetricOptions,
                 "mean distance of the answers from the targets")

}  // namespace
}  // namespace vitrine
