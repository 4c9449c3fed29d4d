#include "framework/training/weight_average.h"

#include <fmt/format.h>

#include "framework/registry/register.h"
#include "framework/training/callback.h"

namespace vitrine {
namespace {

struct Options {
  double decay = 0.999;

  void visit(Fields& field) {
    field("decay", decay, "of the average of the weights so far, at each step", from_below(0, 1))
        .words({"ema_decay", "momentum", "beta"});
  }
  // An average that does not reach its decay is of fewer steps than was asked for.
  void check(const CallbackContext& context, Check& check) const {
    if (context.steps < 1) return;
    const double last = WeightAverage::decay_at(decay, context.steps - 1);
    if (last == decay) return;
    check.problems().note(fmt::format(
        "{}: a decay of {} is not reached in {} steps: it is (1 + step) / (10 + step) up to there, "
        "{:.3g} in the end",
        check.path(), decay, context.steps, last));
  }
};

// The exponential moving average of the weights, which is then what is validated and tested.
class WeightAverageCallback : public Callback {
 public:
  WeightAverageCallback(const Options& options, const CallbackContext&) : options_(options) {}

  bool replaces_weights() const override { return true; }
  void prepare(FlatParameters& parameters) override {
    average_.emplace(parameters, options_.decay);
  }
  void step(const RunView& run) override { average_->update(run.step - 1); }
  Tensor tested_weights() override { return average_->values(); }
  std::map<std::string, Tensor> tested_buffers() override { return average_->buffers(); }

 private:
  Options options_;
  std::optional<WeightAverage> average_;
};

VITRINE_REGISTER(Callback, WeightAverageCallback, Options,
                 "tests the moving average of the weights in place of them")

}  // namespace
}  // namespace vitrine
