#include "framework/registry/register.h"
#include "framework/sweeps/searcher.h"

namespace vitrine {
namespace {

class Grid : public Searcher {
 public:
  Grid(const NoOptions&, const Context&) {}
  bool draws() const override { return false; }
};

}  // namespace

VITRINE_REGISTER(Searcher, Grid, NoOptions, "every combination of what is listed")

}  // namespace vitrine
