#include "framework/model/model.h"
#include "framework/registry/register.h"
#include "framework/training/callback.h"

namespace vitrine {
namespace {

class Sleepy : public Callback {
 public:
  Sleepy(const NoOptions&, const CallbackContext&) {}
  void epoch(const RunView& run) override { run.model.eval(); }
};
VITRINE_REGISTER(Callback, Sleepy, NoOptions, "looks at the model, and forgets to put it back")

}  // namespace
}  // namespace vitrine
