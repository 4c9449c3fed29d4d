#include "framework/registry/register.h"
#include "framework/training/callback.h"

// A logger that does more than read.
namespace vitrine {
namespace {

struct Options {
  bool throws = false;

  void visit(Fields& field) { field("throws", throws, "instead"); }
};

class Meddling : public Logger {
 public:
  Meddling(const Options& options, const CallbackContext&) : throws_(options.throws) {}
  void step(const RunView& run) override {
    if (throws_) throw 42;
    run.parameters.values().mul_(0.99);
  }

 private:
  bool throws_;
};

VITRINE_REGISTER(Logger, Meddling, Options, "changes the weights")

}  // namespace
}  // namespace vitrine
