#include <fmt/format.h>

#include "framework/registry/register.h"
#include "framework/training/callback.h"

namespace vitrine {
namespace {

struct Options {
  double loss = 0.1;
  int64_t epochs = 2;

  void visit(Fields& field) {
    field("loss", loss, "of training, at which it is good enough", above(0));
    field("epochs", epochs, "in a row that it is to be good enough", at_least(1));
  }
  // Rules between options, and with what surrounds them; `epochs` is shown where it was written.
  void check(const CallbackContext& context, Check& check) const {
    if (epochs <= context.epochs) return;
    check.error({"epochs"},
                fmt::format("{} epochs are more than the run's {}", epochs, context.epochs));
  }
};

// Ends training once its loss has been small for some epochs.
class ExampleCallback : public Callback {
 public:
  ExampleCallback(const Options& options, const CallbackContext&) : options_(options) {}

  // After each epoch, with the row that was just written.
  void epoch(const RunView& run) override {
    const double loss = run.values.at("train/loss");
    reached_ = loss <= options_.loss ? reached_ + 1 : 0;
  }

  std::string reason_to_end(const RunView& run) const override {
    if (reached_ < options_.epochs) return "";
    return fmt::format("train/loss is at most {} since epoch {}", options_.loss,
                       run.epoch - reached_ + 1);
  }

  // What it keeps between calls joins the checkpoints, so that a resumed run goes on exactly.
  void state(State& state) override { state("reached", reached_); }

 private:
  Options options_;
  int64_t reached_ = 0;  // epochs in a row
};

VITRINE_REGISTER(Callback, ExampleCallback, Options, "ends training when its loss is small")

}  // namespace
}  // namespace vitrine
