#include "framework/training/schedule.h"

#include "tests/component.h"

namespace vitrine {
namespace {

std::vector<double> factors(const std::string& yaml, std::initializer_list<int64_t> steps,
                            const ScheduleContext& context = {100, 20}) {
  const auto schedule = make<Schedule>(yaml, context);
  std::vector<double> out;
  for (const int64_t step : steps) out.push_back(schedule->factor(step));
  return out;
}

using Values = std::vector<double>;

TEST_CASE("constant stays at 1") {
  CHECK(factors("constant", {0, 50, 99, 1000}) == Values{1, 1, 1, 1});
  CHECK(factors("{type: constant, warmup: 4 steps}", {0, 1, 2, 3, 4, 5}) ==
        Values{0.25, 0.5, 0.75, 1, 1, 1});
}

TEST_CASE("warm-up counts epochs as well") {
  CHECK(factors("{type: constant, warmup: 1}", {0, 9, 19, 20}) == Values{0.05, 0.5, 1, 1});
}

TEST_CASE("linear falls to its final fraction") {
  CHECK(factors("linear", {0, 25, 50, 100, 200}) == Values{1, 0.75, 0.5, 0, 0});
  CHECK(factors("{type: linear, final: 0.5}", {0, 50, 100}) == Values{1, 0.75, 0.5});
  CHECK(factors("{type: linear, warmup: 1 epoch}", {0, 19, 20, 40, 60, 100}) ==
        Values{0.05, 1, 1, 0.75, 0.5, 0});
}

TEST_CASE("cosine falls to its final fraction") {
  const auto plain = factors("cosine", {0, 25, 50, 75, 100, 200});
  const Values expected = {1, 0.853553390593, 0.5, 0.146446609407, 0, 0};
  for (size_t i = 0; i < expected.size(); ++i) CHECK(plain[i] == Approx(expected[i]).margin(1e-12));
  CHECK(factors("{type: cosine, final: 0.2}", {50})[0] == Approx(0.6).epsilon(1e-12));
  const auto warm = factors("{type: cosine, warmup: 20 steps}", {9, 20, 60});
  CHECK(warm[0] == 0.5);
  CHECK(warm[1] == 1);
  CHECK(warm[2] == Approx(0.5).epsilon(1e-12));
}

TEST_CASE("step drops at regular intervals") {
  CHECK(factors("{type: step, every: 30 steps, gamma: 0.5}", {0, 29, 30, 59, 60, 99}) ==
        Values{1, 1, 0.5, 0.5, 0.25, 0.125});
  CHECK(factors("step", {0, 199, 200}, {1000, 20}) == Values{1, 1, 0.1});
  CHECK(factors("{type: step, every: 1 epoch, gamma: 0.5, warmup: 10 steps}", {4, 10, 29, 30}) ==
        Values{0.5, 1, 1, 0.5});
}

TEST_CASE("every schedule tells whether it depends on the total") {
  for (const std::string& name : Registry::instance().names("schedule")) {
    INFO(name);
    const auto shorter = make<Schedule>(name, {100, 20}), longer = make<Schedule>(name, {200, 20});
    bool differs = false;
    for (int64_t step = 0; step < 100; ++step)
      differs |= shorter->factor(step) != longer->factor(step);
    CHECK(shorter->depends_on_total() == differs);
  }
}

TEST_CASE("step takes no time and no nothing") {
  CHECK(problems_of<Schedule>("{type: step, every: 5 min}", {}) ==
        "test.yaml:1:25: schedule: every takes epochs or steps, more than 0\n"
        "    1 | it: {type: step, every: 5 min}\n"
        "      |                         ^");
  CHECK_FALSE(problems_of<Schedule>("{type: step, every: 0 steps}", {}).empty());
}

}  // namespace
}  // namespace vitrine
