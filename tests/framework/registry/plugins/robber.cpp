// Defines a function of Vitrine's, by accident.
#include "framework/registry/register.h"
#include "tests/framework/registry/plugins/bird.h"

namespace vitrine {

std::string utc_now() { return "late"; }

namespace {

class Robber : public Bird {
 public:
  Robber(const NoOptions&, const Context&) {}
  std::string song() const override { return utc_now(); }
};

VITRINE_REGISTER(Bird, Robber, NoOptions, "takes what is another's")

}  // namespace
}  // namespace vitrine
