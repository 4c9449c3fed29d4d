#include "framework/registry/register.h"
#include "framework/training/schedule.h"

namespace vitrine {
namespace {

struct Options : ScheduleOptions {
  double final = 0;

  void visit(Fields& field) {
    ScheduleOptions::visit(field);
    field("final", final, "fraction of the learning rate that is left at the end", between(0, 1))
        .words({"final_lr", "min_lr", "end_factor"});
  }
};

class Linear : public Schedule {
 public:
  Linear(const Options& options, const ScheduleContext& context)
      : Schedule(options, context), final_(options.final) {}

  bool depends_on_total() const override { return true; }

 protected:
  double after_warmup(int64_t step, int64_t total) const override {
    return 1 -
           (1 - final_) * static_cast<double>(std::min(step, total)) / static_cast<double>(total);
  }

 private:
  double final_;
};

VITRINE_REGISTER(Schedule, Linear, Options,
                 "a straight line from the learning rate down to `final`")

}  // namespace
}  // namespace vitrine
