#include <cmath>
#include <numbers>

#include "framework/registry/register.h"
#include "framework/training/schedule.h"

namespace vitrine {
namespace {

struct Options : ScheduleOptions {
  double final = 0;
  Interval period;
  double multiplier = 1;

  void visit(Fields& field) {
    ScheduleOptions::visit(field);
    field("final", final, "fraction of the learning rate that is left at the end", between(0, 1))
        .words({"final_lr", "min_lr", "eta_min", "lr_min"});
    field("period", period, "stretch before the first restart; 0: there is none")
        .words({"T_0", "t_initial", "restarts", "restart_every", "restart_period", "cycle_length",
                "num_cycles", "first_cycle_steps"});
    field("multiplier", multiplier, "what each restart multiplies the period by", at_least(1))
        .words({"T_mult", "t_mul", "cycle_mul", "cycle_mult"});
  }
  void check(Check& check) const {
    ScheduleOptions::check(check);
    if (period.unit == Interval::Unit::kMinutes)
      return check.error({"period"}, "period is counted in epochs or steps, not in minutes");
    // The default may stand there: a resolved config spells everything out.
    if (period.count == 0 && multiplier != 1)
      check.no_effect("multiplier", "there is no restart (period)");
  }
  void check(const ScheduleContext& context, Check& check) const {
    ScheduleOptions::check(context, check);
    if (period.count > 0)
      check_passes("period", period, "there would be no restart", context, check);
  }
};

// Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017.
class Cosine : public Schedule {
 public:
  Cosine(const Options& options, const ScheduleContext& context)
      : Schedule(options, context), final_(options.final), multiplier_(options.multiplier) {
    if (options.period.count > 0)
      period_ = std::max<int64_t>(options.period.in_steps(context.steps_per_epoch), 1);
  }

  bool depends_on_total() const override { return period_ == 0; }

 protected:
  double after_warmup(int64_t step, int64_t total) const override {
    const double done =
        period_ > 0 ? of_period(step)
                    : static_cast<double>(std::min(step, total)) / static_cast<double>(total);
    return final_ + (1 - final_) * (1 + std::cos(std::numbers::pi * done)) / 2;
  }

 private:
  // How much of the period that the step is in lies behind it.
  double of_period(int64_t step) const {
    if (multiplier_ == 1) return static_cast<double>(step % period_) / static_cast<double>(period_);
    double left = static_cast<double>(step), length = static_cast<double>(period_);
    for (; left >= length; length *= multiplier_) left -= length;
    return left / length;
  }

  double final_, multiplier_;
  int64_t period_ = 0;  // 0: half a cosine over the whole run
};

VITRINE_REGISTER(Schedule, Cosine, Options,
                 "half a cosine from the learning rate down to `final`, once or with restarts")

}  // namespace
}  // namespace vitrine
