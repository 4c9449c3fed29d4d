#include <fmt/format.h>

#include <cmath>

#include "framework/registry/register.h"
#include "framework/training/config.h"
#include "framework/training/measure.h"

namespace vitrine {
namespace {

struct Options : EarlyStopping {
  void check(const CallbackContext& context, Check& check) const {
    if (!context.validates)
      return check.error({"metric"}, "there is no validation split (dataset.validation)");
    check_validation_metric(metric, context.metrics, check, "metric");
  }
};

// Ends training when a metric of validation has not improved for some epochs.
class EarlyStoppingCallback : public Callback {
 public:
  EarlyStoppingCallback(const Options& options, const CallbackContext& context)
      : options_(options), info_(context.metrics.at(options.metric)) {}

  void epoch(const RunView& run) override {
    const bool larger = info_.goal == "max";
    const double value = run.values.at(options_.metric);
    const double least = larger ? options_.min_delta : -options_.min_delta;
    const auto known = best_ ? std::optional(*best_ + least) : std::nullopt;
    const bool improved = is_better(value, known, larger);
    if (improved) best_ = value;
    waited_ = improved ? 0 : waited_ + 1;
  }

  std::string reason_to_end(const RunView& run) const override {
    if (waited_ < options_.patience || run.step_in_epoch > 0) return "";
    const std::string by =
        options_.min_delta > 0 ? fmt::format(" by more than {}", options_.min_delta) : "";
    return fmt::format(
        "early stopping after epoch {} of {}: {} has not improved{} for {} epoch{}, since epoch {} "
        "({})",
        run.epoch, run.epochs, options_.metric, by, waited_, waited_ == 1 ? "" : "s",
        run.epoch - waited_, metric_text(best_.value_or(NAN), info_));
  }

  void state(State& state) override {
    std::string metric = options_.metric;
    double min_delta = options_.min_delta;
    state("metric", metric);
    state("min_delta", min_delta);
    state("best", best_);
    state("epochs_without_improvement", waited_);
    if (metric == options_.metric && min_delta == options_.min_delta) return;
    best_.reset();  // what was counted of something else does not count
    waited_ = 0;
  }

 private:
  Options options_;
  MetricInfo info_;
  std::optional<double> best_;
  int64_t waited_ = 0;  // epochs since
};

VITRINE_REGISTER(Callback, EarlyStoppingCallback, Options,
                 "ends training when a metric of validation no longer improves")

}  // namespace
}  // namespace vitrine
