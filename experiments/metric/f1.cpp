#include "framework/registry/register.h"
#include "framework/training/metric.h"

namespace vitrine {
namespace {

// Macro averaged.
class F1 : public ClassCounts {
 public:
  F1(const MetricOptions&, const MetricContext& context) : ClassCounts(context) {}

 private:
  double of_class(const Counts& c) const override {
    return c.answered + c.targets > 0 ? 2 * c.right / (c.answered + c.targets) : 0;
  }
};

VITRINE_REGISTER(Metric, F1, LabelMetricOptions,
                 "mean over classes, or labels, of 2 * precision * recall / (precision + recall)")

}  // namespace
}  // namespace vitrine
