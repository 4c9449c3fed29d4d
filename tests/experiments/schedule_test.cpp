#include "framework/training/schedule.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "framework/files/file.h"
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

// Made by tests/golden/make_optimizer_golden.py.
TEST_CASE("cosine with restarts and one_cycle have the learning rates of PyTorch") {
  const auto golden = nlohmann::json::parse(read_file(
      std::filesystem::path(VITRINE_SOURCE_DIR) / "tests/golden/optimizer.json", 1 << 20));
  for (const char* name : {"cosine", "one_cycle"}) {
    for (const auto& [yaml, expected] : golden.at(name).items()) {
      INFO(yaml);
      REQUIRE(expected.size() == 100);
      const auto schedule = make<Schedule>(yaml, {100, 20});
      for (size_t step = 0; step < 100; ++step) {
        INFO(step);
        CHECK(schedule->factor(static_cast<int64_t>(step)) ==
              Approx(expected[step].get<double>()).epsilon(1e-12));
      }
    }
  }
}

TEST_CASE("restarts count from the end of the warm-up, whatever the total") {
  CHECK(factors("{type: cosine, period: 1 epoch, warmup: 4 steps}", {3, 4, 14, 24, 34, 44}) ==
        Values{1, 1, 0.5, 1, 0.5, 1});
  const std::string grows = "{type: cosine, period: 10 steps, multiplier: 1.5}";
  CHECK(factors(grows, {0, 5, 10, 25}) == Values{1, 0.5, 1, 1});
  CHECK(factors(grows, {44, 90, 4000}) == factors(grows, {44, 90, 4000}, {1000, 20}));
  CHECK_FALSE(make<Schedule>(grows, {100, 20})->depends_on_total());
  CHECK(make<Schedule>("cosine", {100, 20})->depends_on_total());
}

TEST_CASE("one_cycle reaches its full rate at the end of the rise, and stays at its end") {
  const auto short_run = factors("{type: one_cycle, pct_start: 0.5}", {0, 1, 3, 100}, {4, 1});
  CHECK(short_run[0] == Approx(0.04).epsilon(1e-12));
  CHECK(short_run[1] == 1);
  CHECK(short_run[2] == Approx(4e-6).epsilon(1e-9));
  CHECK(short_run[3] == short_run[2]);
}

TEST_CASE("step drops at regular intervals") {
  CHECK(factors("{type: step, every: 30 steps, gamma: 0.5}", {0, 29, 30, 59, 60, 99}) ==
        Values{1, 1, 0.5, 0.5, 0.25, 0.125});
  CHECK(factors("step", {0, 199, 200}, {1000, 20}) == Values{1, 1, 0.1});
  CHECK(factors("{type: step, every: 1 epoch, gamma: 0.5, warmup: 10 steps}", {4, 10, 29, 30}) ==
        Values{0.5, 1, 1, 0.5});
}

// torch.optim.lr_scheduler.ReduceLROnPlateau of PyTorch 2.13, with lr 1.
TEST_CASE("plateau has the learning rates of PyTorch, also from its state") {
  const Values losses = {1,   0.9, 0.95, 0.91, 0.92, 0.89, 0.9, 0.9,
                         0.9, 0.9, 0.5,  0.49, 0.6,  0.6,  0.6, 0.6};
  const std::pair<const char*, Values> cases[] = {
      {"{type: plateau, drop: 0.5, patience: 1}",
       {1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.125, 0.125, 0.0625, 0.0625,
        0.03125}},
      {"{type: plateau, patience: 0, cooldown: 2, threshold: 0.05, final: 0.02}",
       {1, 1, 0.1, 0.1, 0.1, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02}}};
  for (const auto& [yaml, expected] : cases) {
    INFO(yaml);
    auto schedule = make<Schedule>(yaml, {1000, 20});
    for (size_t i = 0; i < losses.size(); ++i) {
      INFO(i);
      schedule->note_validation(losses[i]);
      CHECK(schedule->factor(999) == Approx(expected[i]));
      const auto resumed = make<Schedule>(yaml, {1000, 20});
      State::restore(*resumed, State::of(*schedule));
      schedule = resumed;
    }
  }
}

TEST_CASE("every schedule tells whether it depends on the total") {
  for (const std::string& name : Registry::instance().names("schedule")) {
    INFO(name);
    const auto shorter = make<Schedule>(name, {300, 20}), longer = make<Schedule>(name, {600, 20});
    bool differs = false;
    for (int64_t step = 0; step < 300; ++step)
      differs |= shorter->factor(step) != longer->factor(step);
    CHECK(shorter->depends_on_total() == differs);
  }
}

TEST_CASE("step takes no time and no nothing") {
  CHECK(problems_of<Schedule>("{type: step, every: 5 min}") ==
        "test.yaml:1:25: schedule: every takes epochs or steps, more than 0\n"
        "    1 | it: {type: step, every: 5 min}\n"
        "      |                         ^");
  CHECK_FALSE(problems_of<Schedule>("{type: step, every: 0 steps}").empty());
}

// What is said of it in a run of 5 epochs of 20 steps.
std::string first_line(const std::string& yaml) {
  const std::string all = problems_of<Schedule>(yaml, {100, 20});
  return all.substr(0, all.find('\n'));
}

TEST_CASE("a warm-up that is not shorter than the run is refused") {
  CHECK(problems_of<Schedule>("{type: cosine, warmup: 50 epochs}", {100, 20}) ==
        "test.yaml:1:28: schedule: a warmup of 50 epochs (1000 steps) is not shorter than the run, "
        "which has 100 steps: the learning rate would only rise\n"
        "    1 | it: {type: cosine, warmup: 50 epochs}\n"
        "      |                            ^");
  CHECK(first_line("{type: constant, warmup: 100 steps}") ==
        "test.yaml:1:30: schedule: a warmup of 100 steps is not shorter than the run, which has "
        "100 steps: the learning rate would only rise");
  CHECK(first_line("{type: linear, warmup: 0.01 epochs}") ==
        "test.yaml:1:20: schedule.warmup has no effect: 0.01 epochs are less than half a step");
  CHECK(first_line("{type: cosine, warmup: 99 steps}") == "");
  CHECK(problems_of<Schedule>("{type: cosine, warmup: 50 epochs}") == "");  // nobody knows yet
}

TEST_CASE("what a schedule would never come to is refused") {
  CHECK(first_line("step") ==
        "test.yaml:1:5: schedule: every (10 epochs (200 steps)) is not shorter than the run, which "
        "has 100 steps: the learning rate would never drop");
  CHECK(first_line("{type: step, every: 90 steps, warmup: 10 steps}") ==
        "test.yaml:1:25: schedule: every (90 steps) is not shorter than the run, which has 90 "
        "steps behind the warm-up: the learning rate would never drop");
  CHECK(first_line("{type: cosine, period: 5}") ==
        "test.yaml:1:28: schedule: period (5 epochs (100 steps)) is not shorter than the run, "
        "which has 100 steps: there would be no restart");
  CHECK(first_line("{type: cosine, period: 5 min}") ==
        "test.yaml:1:28: schedule: period is counted in epochs or steps, not in minutes");
  CHECK(first_line("{type: cosine, period: 0.01}") ==
        "test.yaml:1:28: schedule: period (0.01 epochs) is less than half a step");
  CHECK(first_line("{type: step, every: 0.01 epochs}") ==
        "test.yaml:1:25: schedule: every (0.01 epochs) is less than half a step");
  CHECK(first_line("{type: cosine, multiplier: 2}") ==
        "test.yaml:1:20: schedule.multiplier has no effect: there is no restart (period)");
  CHECK(first_line("{type: cosine, period: 0, multiplier: 1}") == "");
  CHECK(first_line("{type: one_cycle, pct_start: 0.01}") ==
        "test.yaml:1:34: schedule: pct_start (0.01) of 100 steps is no more than one: the learning "
        "rate would not rise");
  CHECK(first_line("{type: one_cycle, warmup: 1}") ==
        "test.yaml:1:23: schedule.warmup: unknown key");
}

}  // namespace
}  // namespace vitrine
