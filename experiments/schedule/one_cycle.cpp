#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "framework/registry/register.h"
#include "framework/training/schedule.h"

namespace vitrine {
namespace {

struct Options {
  double pct_start = 0.3, div_factor = 25, final_div_factor = 1e4;

  void visit(Fields& field) {
    field("pct_start", pct_start, "fraction of the run in which the learning rate rises",
          between(0, 1))
        .words({"warmup", "warm_up", "warmup_ratio", "warmup_steps", "warmup_epochs",
                "num_warmup_steps"});
    field("div_factor", div_factor, "the learning rate divided by the one at the start",
          at_least(1));
    field("final_div_factor", final_div_factor,
          "the learning rate at the start divided by the one at the end", at_least(1));
  }
  void check(const ScheduleContext& context, Check& check) const {
    const auto total = static_cast<double>(context.total_steps);
    if (pct_start == 0 || pct_start * total > 1) return;
    check.error({"pct_start"},
                fmt::format("pct_start ({}) of {} steps is no more than one: the learning rate "
                            "would not rise",
                            pct_start, context.total_steps));
  }
};

// Smith and Topin, "Super-Convergence", 2018, in the two phases of PyTorch's OneCycleLR; momentum
// stays as it is.
class OneCycle : public Schedule {
 public:
  OneCycle(const Options& options, const ScheduleContext& context)
      : Schedule(ScheduleOptions(), context), options_(options) {}

  bool depends_on_total() const override { return true; }

 protected:
  double after_warmup(int64_t step, int64_t total) const override {
    const double start = 1 / options_.div_factor, end = start / options_.final_div_factor;
    const double last = static_cast<double>(total) - 1;
    const double peak = options_.pct_start * static_cast<double>(total) - 1;
    const double at = std::min(static_cast<double>(step), last);
    if (at <= peak) return peak == 0 ? 1 : between_rates(start, 1, at / peak);
    return between_rates(1, end, (at - peak) / (last - peak));
  }

 private:
  static double between_rates(double from, double to, double done) {
    return to + (from - to) * (1 + std::cos(std::numbers::pi * done)) / 2;
  }

  Options options_;
};

VITRINE_REGISTER(Schedule, OneCycle, Options,
                 "up to the learning rate and down to almost nothing, on two half cosines")

}  // namespace
}  // namespace vitrine
