#include <stdexcept>

#include "framework/registry/register.h"
#include "framework/training/callback.h"

namespace vitrine {
namespace {

class Tired : public Callback {
 public:
  Tired(const NoOptions&, const CallbackContext&) {}
  void epoch(const RunView&) override { throw std::logic_error("no more"); }
};

VITRINE_REGISTER(Callback, Tired, NoOptions, "gives up after an epoch")

}  // namespace
}  // namespace vitrine
