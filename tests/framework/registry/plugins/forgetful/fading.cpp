#include "framework/registry/register.h"
#include "framework/training/callback.h"

// Shrinks the weights the more often it was called, and keeps no count.
namespace vitrine {
namespace {

class Fading : public Callback {
 public:
  Fading(const NoOptions&, const CallbackContext&) {}
  void step(const RunView& run) override { run.parameters.values().mul_(1 - 0.01 * ++calls_); }

 private:
  int calls_ = 0;
};

VITRINE_REGISTER(Callback, Fading, NoOptions, "fades")

}  // namespace
}  // namespace vitrine
