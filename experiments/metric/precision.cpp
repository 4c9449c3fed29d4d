#include "framework/registry/register.h"
#include "framework/training/metric.h"

namespace vitrine {
namespace {

// Macro averaged; a class that was never the answer counts as 0.
class Precision : public ClassCounts {
 public:
  Precision(const MetricOptions&, const MetricContext& context) : ClassCounts(context) {}

 private:
  double of_class(const Counts& c) const override { return c.precision(); }
};

VITRINE_REGISTER(Metric, Precision, LabelMetricOptions,
                 "mean over classes, or labels, of the share of its answers that are right")

}  // namespace
}  // namespace vitrine
