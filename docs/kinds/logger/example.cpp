#include <fmt/format.h>

#include "framework/files/file.h"
#include "framework/registry/register.h"
#include "framework/training/callback.h"

namespace vitrine {
namespace {

struct Options {
  std::string value = "train/loss";

  void visit(Fields& field) {
    field("value", value, "of the rows of epochs that is told, such as train/loss");
  }
  void check(const CallbackContext& context, Check& check) const {
    if (context.metrics.contains(value)) return;
    check.error({"value"}, fmt::format("there is no \"{}\" in rows of this run", value));
  }
};

// Keeps how far a run is in a file of its folder, for a status bar to show.
class ExampleLogger : public Logger {
 public:
  ExampleLogger(const Options& options, const CallbackContext&) : options_(options) {}

  // A row was written. A logger only reads; where it fails, the run goes on without it.
  void row(const RunView& run) override {
    if (run.values.at("kind") != "epoch") return;
    const int64_t epoch = run.values.at("epoch");
    const double value = run.values.at(options_.value);
    // Written anew each time, so that a resumed run has nothing to cut off.
    const std::string text =
        fmt::format("epoch {} of {}: {} {:.4f}\n", epoch, run.epochs, options_.value, value);
    write_file_atomically(run.folder / "status.txt", text);
  }

 private:
  Options options_;
};

VITRINE_REGISTER(Logger, ExampleLogger, Options, "how far a run is, in status.txt")

}  // namespace
}  // namespace vitrine
