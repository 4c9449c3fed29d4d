#include <fmt/format.h>

#include <cmath>

#include "framework/files/json.h"
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

  nlohmann::json state() const override {
    nlohmann::json out = {{"metric", options_.metric},
                          {"min_delta", options_.min_delta},
                          {"epochs_without_improvement", waited_}};
    if (best_) out["best_stopping"] = *best_;
    return out;
  }
  // What was counted of something else does not count.
  void set_state(const nlohmann::json& state) override {
    if (state.value("metric", options_.metric) != options_.metric ||
        state.value("min_delta", options_.min_delta) != options_.min_delta)
      return;
    waited_ = json_integer(state.at("epochs_without_improvement"), "epochs_without_improvement", 0);
    if (state.contains("best_stopping"))
      best_ = json_number(state["best_stopping"], "best_stopping");
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
