#include "framework/registry/register.h"
#include "framework/training/schedule.h"

// Follows the total and says that it does not.
namespace vitrine {
namespace {

class Endless : public Schedule {
 public:
  Endless(const ScheduleOptions& options, const ScheduleContext& context)
      : Schedule(options, context) {}
  bool depends_on_total() const override { return false; }

 protected:
  double after_warmup(int64_t step, int64_t total) const override {
    return 1 - static_cast<double>(step) / static_cast<double>(total + 1);
  }
};

VITRINE_REGISTER(Schedule, Endless, ScheduleOptions, "claims to be endless")

}  // namespace
}  // namespace vitrine
