#include "framework/registry/register.h"
#include "framework/training/schedule.h"

namespace vitrine {
namespace {

class Uphill : public Schedule {
 public:
  Uphill(const ScheduleOptions& options, const ScheduleContext& context)
      : Schedule(options, context) {}
  bool depends_on_total() const override { return false; }

 protected:
  double after_warmup(int64_t step, int64_t) const override { return 1 - 2 * (step == 3); }
};

VITRINE_REGISTER(Schedule, Uphill, ScheduleOptions, "goes up where it should go down")

}  // namespace
}  // namespace vitrine
