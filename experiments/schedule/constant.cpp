#include "framework/registry/register.h"
#include "framework/training/schedule.h"

namespace vitrine {
namespace {

using Options = ScheduleOptions;

class Constant : public Schedule {
 public:
  Constant(const Options& options, const ScheduleContext& context) : Schedule(options, context) {}

  bool depends_on_total() const override { return false; }

 protected:
  double after_warmup(int64_t, int64_t) const override { return 1; }
};

VITRINE_REGISTER(Schedule, Constant, Options, "the same learning rate throughout")

}  // namespace
}  // namespace vitrine
