#include "framework/training/schedule.h"

#include <fmt/format.h>

#include <cmath>

namespace vitrine {
namespace {

// "50 epochs (7050 steps)"
std::string shown(const Interval& stretch, const ScheduleContext& context) {
  const std::string text = stretch.write().scalar;
  if (stretch.unit == Interval::Unit::kSteps) return text;
  return fmt::format("{} ({} steps)", text, stretch.in_steps(context.steps_per_epoch));
}

}  // namespace

void ScheduleOptions::visit(Fields& field) {
  field("warmup", warmup, "stretch over which the learning rate rises linearly to its full value")
      .words({"warm_up", "warmup_steps", "warmup_epochs", "num_warmup_steps", "warmup_ratio",
              "warmup_t", "warmup_iters"});
}

int64_t ScheduleOptions::steps_left(const ScheduleContext& context) const {
  return std::max<int64_t>(context.total_steps - warmup.in_steps(context.steps_per_epoch), 0);
}

void ScheduleOptions::check(Check& check) const {
  if (warmup.unit == Interval::Unit::kMinutes)
    check.error({"warmup"}, "warmup is counted in epochs or steps, not in minutes");
}

void ScheduleOptions::check(const ScheduleContext& context, Check& check) const {
  if (warmup.count == 0) return;
  if (warmup.in_steps(context.steps_per_epoch) == 0)
    check.no_effect("warmup", warmup.write().scalar + " are less than half a step");
  if (steps_left(context) == 0) {
    check.error({"warmup"},
                fmt::format("a warmup of {} is not shorter than the run, which has {} steps: the "
                            "learning rate would only rise",
                            shown(warmup, context), context.total_steps));
  }
}

void ScheduleOptions::check_passes(const char* field, const Interval& stretch,
                                   const std::string& consequence, const ScheduleContext& context,
                                   Check& check) const {
  if (stretch.in_steps(context.steps_per_epoch) == 0) {
    return check.error(
        {field}, fmt::format("{} ({}) is less than half a step", field, stretch.write().scalar));
  }
  const int64_t left = steps_left(context);
  if (left == 0 || stretch.in_steps(context.steps_per_epoch) < left) return;
  check.error({field}, fmt::format("{} ({}) is not shorter than the run, which has {} steps{}: {}",
                                   field, shown(stretch, context), left,
                                   warmup.count > 0 ? " behind the warm-up" : "", consequence));
}

double Schedule::checked_factor(int64_t step, int64_t total) const {
  return in("factor", [&] {
    const double factor = after_warmup(step, total);
    require(std::isfinite(factor) && factor >= 0, "factor", [&] {
      return fmt::format(
          "step {} of {} gave {}: what the learning rate is multiplied by must be "
          "finite and at least 0",
          step, total, factor);
    });
    return factor;
  });
}

}  // namespace vitrine
