#include "framework/registry/register.h"
#include "framework/training/metric.h"

namespace vitrine {
namespace {

// Brodersen et al. 2010, "The balanced accuracy and its posterior distribution".
class BalancedAccuracy : public ClassCounts {
 public:
  BalancedAccuracy(const MetricOptions&, const MetricContext& context) : ClassCounts(context) {}

 private:
  double of_class(const Counts& c) const override { return c.recall(); }
  bool counts(const Counts& c) const override { return c.targets > 0; }
};

VITRINE_REGISTER(Metric, BalancedAccuracy, MetricOptions,
                 "mean over the classes that occur of the share of their images that were found")

}  // namespace
}  // namespace vitrine
