#include "framework/registry/register.h"
#include "framework/training/metric.h"

namespace vitrine {
namespace {

// Macro averaged.
class F1 : public ClassCounts {
 public:
  F1(const NoOptions&, const MetricContext& context) : ClassCounts(context) {}

 private:
  double of_class(const Counts& c) const override { return 2 * c.right / (c.answered + c.targets); }
};

VITRINE_REGISTER(Metric, F1, NoOptions,
                 "mean over classes of 2 * precision * recall / (precision + recall)")

}  // namespace
}  // namespace vitrine
