#include "tests/framework/cli/killed_sweep.h"

namespace vitrine {
namespace {

TEST_CASE("a sweep that is killed ten times gives the bits of one never killed") {
  check_killed_sweep(true);
}

}  // namespace
}  // namespace vitrine
