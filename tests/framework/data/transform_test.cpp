#include "framework/data/transform.h"

#include <array>
#include <set>

#include "tests/component.h"

namespace vitrine {
namespace {

TEST_CASE("draws are the same on any machine") {
  Draws draws(0, 0, 0, 0);
  CHECK(draws.uniform() == 0.47141042966848024);
  CHECK(draws.uniform() == 0.7247520786262142);
  CHECK(draws.integer(0, 999'999) == 303'030);
}

TEST_CASE("seed, epoch, index and salt each change the draws") {
  std::set<double> seen;
  for (const auto& [seed, epoch, index, salt] : {std::array{0, 0, 0, 0},
                                                 {1, 0, 0, 0},
                                                 {0, 1, 0, 0},
                                                 {0, 0, 1, 0},
                                                 {0, 0, 0, 1},
                                                 {1, 1, 0, 0},
                                                 {0, 1, 1, 0}}) {
    seen.insert(Draws(seed, epoch, index, salt).uniform());
  }
  CHECK(seen.size() == 7);
}

TEST_CASE("draws fill their range evenly") {
  std::vector<int> counts(5);
  double sum = 0;
  for (int64_t index = 0; index < 10'000; ++index) {
    Draws draws(7, 3, index, 1);
    ++counts[draws.integer(-2, 2) + 2];
    const double uniform = draws.uniform();
    CHECK((uniform >= 0 && uniform < 1));
    sum += uniform;
  }
  for (const int count : counts) CHECK((count > 1900 && count < 2100));
  CHECK(sum / 10'000 == Approx(0.5).margin(0.01));
}

TEST_CASE("the widest range of integers is drawn from") {
  Draws draws(0, 0, 0, 0);
  CHECK(draws.integer(4, 4) == 4);
  for (int i = 0; i < 100; ++i) CHECK(draws.integer(INT64_MIN + 1, INT64_MAX) > INT64_MIN);
}

}  // namespace
}  // namespace vitrine
