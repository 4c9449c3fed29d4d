#include "framework/registry/register.h"
#include "framework/sweeps/searcher.h"

namespace vitrine {
namespace {

class Random : public Searcher {
 public:
  Random(const NoOptions&, const Context&) {}
};

}  // namespace

VITRINE_REGISTER(Searcher, Random, NoOptions, "some combinations, drawn by chance")

}  // namespace vitrine
