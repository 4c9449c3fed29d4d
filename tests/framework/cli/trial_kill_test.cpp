#include "tests/framework/cli/killed_sweep.h"

namespace vitrine {
namespace {

TEST_CASE("a sweep whose trials are killed ten times gives the bits of one never killed") {
  check_killed_sweep(false);
}

}  // namespace
}  // namespace vitrine
