#include <fmt/format.h>

#include "framework/registry/register.h"
#include "framework/training/metric.h"

namespace vitrine {
namespace {

struct Options : MetricOptions {
  int64_t k = 5;

  void visit(Fields& field) {
    MetricOptions::visit(field);
    field("k", k, "how many of the likeliest classes count", at_least(1)).words({"n", "top"});
  }
  void check(const MetricContext& context, Check& check) const {
    if (context.task.outputs() > k) return;
    check.error({"k"}, fmt::format("one of the {} likeliest of {} classes is always right", k,
                                   context.task.outputs()));
  }
};

class TopK : public Metric {
 public:
  TopK(const Options& options, const MetricContext&) : k_(options.k) {}

  std::string name() const override { return fmt::format("top_{}", k_); }
  int64_t width() const override { return 1; }
  // Those ahead of the target are counted, so that of equal outputs none is preferred.
  void add(const Tensor& outputs, const Tensor& targets, const Tensor& sums) const override {
    const Tensor at_target = outputs.gather(1, targets.unsqueeze(1));
    const Tensor ahead = outputs.gt(at_target).sum(1);
    sums.add_(ahead.lt(k_).logical_and(at_target.squeeze(1).isfinite()).sum().to(sums.device()));
  }
  double value(const double* sums, double images) const override { return sums[0] / images; }

 private:
  int64_t k_;
};

VITRINE_REGISTER(Metric, TopK, Options,
                 "share of images whose class is among the k likeliest answers")

}  // namespace
}  // namespace vitrine
