#include <cmath>

#include "framework/registry/register.h"
#include "framework/training/schedule.h"

namespace vitrine {
namespace {

struct Options : ScheduleOptions {
  Interval every = Interval::epochs(10);
  double gamma = 0.1;

  void visit(Fields& field) {
    ScheduleOptions::visit(field);
    field("every", every, "stretch between two drops, counted from the end of the warm-up")
        .words({"step_size", "milestones"});
    field("gamma", gamma, "what each drop multiplies the learning rate by", above(0))
        .words({"decay", "factor"});
  }
  void check(Check& check) const {
    ScheduleOptions::check(check);
    if (every.unit == Interval::Unit::kMinutes || every.count == 0)
      check.error({"every"}, "every takes epochs or steps, more than 0");
  }
  void check(const ScheduleContext& context, Check& check) const {
    ScheduleOptions::check(context, check);
    check_passes("every", every, "the learning rate would never drop", context, check);
  }
};

class Step : public Schedule {
 public:
  Step(const Options& options, const ScheduleContext& context)
      : Schedule(options, context),
        every_(std::max<int64_t>(options.every.in_steps(context.steps_per_epoch), 1)),
        gamma_(options.gamma) {}

  bool depends_on_total() const override { return false; }

 protected:
  double after_warmup(int64_t step, int64_t) const override {
    return std::pow(gamma_, static_cast<double>(step / every_));
  }

 private:
  int64_t every_;
  double gamma_;
};

VITRINE_REGISTER(Schedule, Step, Options, "the learning rate times `gamma` at regular intervals")

}  // namespace
}  // namespace vitrine
