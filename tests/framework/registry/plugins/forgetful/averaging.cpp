#include "framework/registry/register.h"
#include "framework/training/metric.h"

// A mean of means.
namespace vitrine {
namespace {

class Averaging : public Metric {
 public:
  Averaging(const MetricOptions&, const MetricContext&) {}
  int64_t width() const override { return 1; }
  void add(const Tensor& outputs, const Tensor& targets, const Tensor& sums) const override {
    sums.add_(outputs.argmax(1).eq(targets).to(at::kDouble).mean());
  }
  double value(const double* sums, double) const override { return *sums; }
};

VITRINE_REGISTER(Metric, Averaging, MetricOptions, "a mean of means")

}  // namespace
}  // namespace vitrine
