#include <cmath>
#include <numbers>

#include "framework/registry/register.h"
#include "framework/training/schedule.h"

namespace vitrine {
namespace {

struct Options : ScheduleOptions {
  double final = 0;

  void visit(Fields& field) {
    ScheduleOptions::visit(field);
    field("final", final, "fraction of the learning rate that is left at the end", between(0, 1))
        .words({"final_lr", "min_lr", "eta_min"});
  }
};

// Loshchilov and Hutter, "SGDR", 2017, without restarts.
class Cosine : public Schedule {
 public:
  Cosine(const Options& options, const ScheduleContext& context)
      : Schedule(options, context), final_(options.final) {}

  bool depends_on_total() const override { return true; }

 protected:
  double after_warmup(int64_t step, int64_t total) const override {
    const double done = static_cast<double>(std::min(step, total)) / static_cast<double>(total);
    return final_ + (1 - final_) * (1 + std::cos(std::numbers::pi * done)) / 2;
  }

 private:
  double final_;
};

VITRINE_REGISTER(Schedule, Cosine, Options, "half a cosine from the learning rate down to `final`")

}  // namespace
}  // namespace vitrine
