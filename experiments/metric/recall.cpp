#include "framework/registry/register.h"
#include "framework/training/metric.h"

namespace vitrine {
namespace {

// Macro averaged; a class that was an answer but has no image counts as 0.
class Recall : public ClassCounts {
 public:
  Recall(const MetricOptions&, const MetricContext& context) : ClassCounts(context) {}

 private:
  double of_class(const Counts& c) const override { return c.recall(); }
};

VITRINE_REGISTER(Metric, Recall, LabelMetricOptions,
                 "mean over classes, or labels, of the share of its images that were found")

}  // namespace
}  // namespace vitrine
