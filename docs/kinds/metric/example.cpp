#include <fmt/format.h>

#include "framework/registry/register.h"
#include "framework/training/metric.h"

namespace vitrine {
namespace {

// A metric says which types of tasks it suits in `types`; classification alone, unless told.
struct Options : MetricOptions {
  int64_t depth = 5;

  void visit(Fields& field) {
    MetricOptions::visit(field);
    field("depth", depth, "ranks beyond it count nothing", at_least(1));
  }
  void check(const MetricContext& context, Check& check) const {
    const int64_t classes = context.task.outputs();
    if (depth <= classes) return;
    check.error({"depth"}, fmt::format("depth ({}) is beyond the {} classes", depth, classes));
  }
};

// The mean reciprocal rank of the right class among the answers.
class ExampleMetric : public Metric {
 public:
  ExampleMetric(const Options& options, const MetricContext&) : depth_(options.depth) {}

  // A metric is computed from sums over images, here from one.
  int64_t width() const override { return 1; }
  // outputs [B, K], targets of classes int64 [B]; sums double [width].
  void add(const Tensor& outputs, const Tensor& targets, const Tensor& sums) const override {
    const Tensor of_target = outputs.gather(1, targets.unsqueeze(1));
    const Tensor rank = outputs.gt(of_target).sum(1) + 1;
    const Tensor counted = rank.le(depth_) / rank.to(at::kFloat);
    sums.add_(counted.sum().to(sums.device()));
  }
  double value(const double* sums, double images) const override { return sums[0] / images; }

 private:
  int64_t depth_;
};

VITRINE_REGISTER(Metric, ExampleMetric, Options, "mean reciprocal rank of the right class")

}  // namespace
}  // namespace vitrine
