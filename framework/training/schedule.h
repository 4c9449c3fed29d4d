#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "framework/config/units.h"
#include "framework/registry/registry.h"
#include "framework/state/state.h"

namespace vitrine {

struct ScheduleContext {
  int64_t total_steps = 0;  // of the run
  int64_t steps_per_epoch = 1;
};

// The options of a schedule that begins with a warm-up; its own derive from it and call its visit
// first.
struct ScheduleOptions {
  using SharedOptions = ScheduleOptions;
  Interval warmup;

  void visit(Fields& field);
  void check(Check& check) const;
  void check(const ScheduleContext& context, Check& check) const;

 protected:
  // Steps behind the warm-up; none where they are too few.
  int64_t steps_left(const ScheduleContext& context) const;
  // An error if the stretch that a field says is no step, or has not passed after the warm-up
  // before the run ends.
  void check_passes(const char* field, const Interval& stretch, const std::string& consequence,
                    const ScheduleContext& context, Check& check) const;
};

class Schedule : public Registered, public Stateful {
 public:
  static constexpr const char* kKind = "schedule";
  using Context = ScheduleContext;

  Schedule(const ScheduleOptions& options, const ScheduleContext& context)
      : warmup_steps_(options.warmup.in_steps(context.steps_per_epoch)), context_(context) {}

  // Whether another total changes the learning rate of steps before the end, so that a run which is
  // taken further is no longer what a longer one would have been.
  virtual bool depends_on_total() const = 0;
  // Whether it goes by the loss of validation, which it is then told after each epoch.
  virtual bool follows_validation() const { return false; }
  virtual void note_validation(double /*loss*/) {}
  // What the learning rate is multiplied by at a step (from 0).
  double factor(int64_t step) const {
    if (step < warmup_steps_)
      return static_cast<double>(step + 1) / static_cast<double>(warmup_steps_);
    return checked_factor(step - warmup_steps_,
                          std::max<int64_t>(context_.total_steps - warmup_steps_, 1));
  }

 protected:
  // `step` and `total` count from the end of the warm-up.
  virtual double after_warmup(int64_t step, int64_t total) const = 0;  // finite, at least 0
  const ScheduleContext& context() const { return context_; }

 private:
  double checked_factor(int64_t step, int64_t total) const;

  int64_t warmup_steps_;
  ScheduleContext context_;
};

}  // namespace vitrine
