#include "framework/registry/register.h"
#include "framework/training/metric.h"

namespace vitrine {
namespace {

struct Options : MetricOptions {
  Options() { types = {TaskType::kMultiLabel}; }
};

class ExactMatch : public Metric {
 public:
  ExactMatch(const Options&, const MetricContext&) {}

  int64_t width() const override { return 1; }
  void add(const Tensor& outputs, const Tensor& targets, const Tensor& sums) const override {
    const Tensor right = labels_answered(outputs).eq(targets.gt(0)).all(1);
    sums.add_(right.sum().to(sums.device()));
  }
  double value(const double* sums, double images) const override { return sums[0] / images; }
};

VITRINE_REGISTER(Metric, ExactMatch, Options, "share of images all labels of which are told right")

}  // namespace
}  // namespace vitrine
