#include <cmath>

#include "framework/registry/register.h"
#include "framework/training/schedule.h"

namespace vitrine {
namespace {

// The option of a schedule that begins with a warm-up, and one more.
struct Options : ScheduleOptions {
  double power = 2;

  void visit(Fields& field) {
    ScheduleOptions::visit(field);
    field("power", power, "1 falls evenly, more falls early", above(0));
  }
};

// Down to 0 along a power of what is left of the run.
class ExampleSchedule : public Schedule {
 public:
  ExampleSchedule(const Options& options, const ScheduleContext& context)
      : Schedule(options, context), power_(options.power) {}

  // A longer run has other rates from the start, which taking a run further must know.
  bool depends_on_total() const override { return true; }

 protected:
  // What the learning rate is multiplied by; both count from the end of the warm-up.
  double after_warmup(int64_t step, int64_t total) const override {
    const double done = static_cast<double>(std::min(step, total)) / static_cast<double>(total);
    return std::pow(1 - done, power_);
  }

 private:
  double power_;
};

VITRINE_REGISTER(Schedule, ExampleSchedule, Options, "down to 0 along a power")

}  // namespace
}  // namespace vitrine
