#include "framework/registry/register.h"
#include "framework/training/metric.h"

// Changes what it is to measure.
namespace vitrine {
namespace {

class Consuming : public Metric {
 public:
  Consuming(const MetricOptions&, const MetricContext&) {}
  int64_t width() const override { return 1; }
  void add(const Tensor& outputs, const Tensor& targets, const Tensor& sums) const override {
    sums.add_(outputs.argmax(1).eq(targets).sum());
    Tensor(outputs).zero_();
  }
  double value(const double* sums, double images) const override { return *sums / images; }
};

VITRINE_REGISTER(Metric, Consuming, MetricOptions, "leaves zeros behind")

}  // namespace
}  // namespace vitrine
