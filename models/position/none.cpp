#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

class NoPosition : public Position {
 public:
  NoPosition(const NoOptions&, const PartContext&) {}

 protected:
  Value forward(const Value& x) override { return x; }
};

VITRINE_REGISTER(Position, NoPosition, NoOptions, "no positions: the patches are a set")

}  // namespace
}  // namespace vitrine
