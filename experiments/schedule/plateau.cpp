#include <algorithm>

#include "framework/registry/register.h"
#include "framework/training/schedule.h"

namespace vitrine {
namespace {

struct Options : ScheduleOptions {
  double drop = 0.1;
  int64_t patience = 10;
  double threshold = 1e-4;
  int64_t cooldown = 0;
  double final = 0;

  void visit(Fields& field) {
    ScheduleOptions::visit(field);
    field("drop", drop, "what each drop multiplies the learning rate by", from_below(0, 1))
        .words({"factor", "gamma"});
    field("patience", patience, "epochs without improvement that are borne before a drop",
          at_least(0));
    field("threshold", threshold, "share of the best loss that counts as an improvement",
          from_below(0, 1))
        .words({"min_delta"});
    field("cooldown", cooldown, "epochs after a drop in which none is counted", at_least(0));
    field("final", final, "factor that the learning rate is not dropped below", between(0, 1))
        .words({"min_lr"});
  }
};

// PyTorch's ReduceLROnPlateau, by the loss of validation.
class Plateau : public Schedule {
 public:
  Plateau(const Options& options, const ScheduleContext& context)
      : Schedule(options, context), options_(options) {}

  bool depends_on_total() const override { return false; }
  bool follows_validation() const override { return true; }

  void note_validation(double loss) override {
    const bool is_better = !best_ || loss < *best_ * (1 - options_.threshold);
    if (is_better) best_ = loss;
    bad_epochs_ = is_better ? 0 : bad_epochs_ + 1;
    if (cooldown_ > 0) {
      --cooldown_;
      bad_epochs_ = 0;
    }
    if (bad_epochs_ <= options_.patience) return;
    factor_ = std::max(factor_ * options_.drop, options_.final);
    cooldown_ = options_.cooldown;
    bad_epochs_ = 0;
  }

  void state(State& state) override {
    state("factor", factor_);
    state("best", best_);
    state("bad_epochs", bad_epochs_);
    state("cooldown", cooldown_);
  }

 protected:
  double after_warmup(int64_t, int64_t) const override { return factor_; }

 private:
  Options options_;
  double factor_ = 1;
  std::optional<double> best_;
  int64_t bad_epochs_ = 0, cooldown_ = 0;
};

VITRINE_REGISTER(Schedule, Plateau, Options,
                 "the learning rate times `drop` where the loss of validation stands still")

}  // namespace
}  // namespace vitrine
