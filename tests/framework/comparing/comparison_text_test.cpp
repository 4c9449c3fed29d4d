#include "framework/comparing/comparison_text.h"

#include <cmath>

#include "tests/catch.h"
#include "tests/framework/comparing/support.h"

namespace vitrine {
namespace {

const MetricInfo kAccuracy{"max", "fraction"}, kLoss{"min", "nats"}, kPlain{"none", ""};

std::vector<RunRecord> group(const std::string& name, int64_t hidden_d,
                             const std::vector<double>& accuracies) {
  Metrics metrics = example_run();
  metrics.name = name;
  metrics.config["model"]["hidden_d"] = hidden_d;
  return seeds_of(metrics, accuracies);
}

std::string headline_of(const std::vector<std::vector<RunRecord>>& groups,
                        const std::string& metric = "") {
  std::vector<const RunRecord*> runs;
  for (const auto& one : groups) {
    for (const RunRecord& run : one) runs.push_back(&run);
  }
  return headline(compare_runs(runs, {metric, {}}));
}

TEST_CASE("numbers as people read them", "[reports]") {
  CHECK(shown_metric(0.87361, kAccuracy) == "87.36 %");
  CHECK(shown_metric(0.36296, kLoss) == "0.3630");
  CHECK(shown_metric(1.625, {"min", "seconds"}) == "1.62 s");
  CHECK(shown_metric(2.5e9, {"min", "bytes"}) == "2500.0 MB");
  CHECK(shown_metric(81234.5, {"max", "images/s"}) == "81234");
  CHECK(shown_metric(NAN, kAccuracy) == "-");
  CHECK(shown_spread({10, 0.8736, 0.0052, {}}, kAccuracy) == "87.36 ± 0.52 %");
  CHECK(shown_spread({1, 0.8736, NAN, {NAN, NAN}}, kAccuracy) == "87.36 %");
  CHECK(shown_interval({0.8699, 0.8773}, kAccuracy) == "[86.99, 87.73]");
  CHECK(shown_interval({NAN, NAN}, kAccuracy) == "-");
  CHECK(shown_difference(0.012, kAccuracy) == "+1.20 points");
  CHECK(shown_difference(-0.012, kAccuracy, false) == "-1.20");
  CHECK(shown_difference(-0.012, kLoss) == "-0.0120 nats");
  CHECK(shown_difference(-800, kPlain) == "-800");
  CHECK(shown_difference(123456, kPlain) == "+123456");
  CHECK(shown_difference(4.5501555, kPlain) == "+4.55");
  CHECK(shown_difference(NAN, kPlain) == "-");
  CHECK(shown_metric(-0.0, kLoss) == "0.0000");
  CHECK(shown_metric(-0.00004, kLoss) == "0.0000");
  CHECK(shown_metric(-0.00005001, kLoss) == "-0.0001");
  CHECK(shown_metric(-0.0, kPlain) == "0");
  CHECK(shown_difference(-0.00001, kAccuracy) == "+0.00 points");
  CHECK(shown_p(0.00037) == "0.0004");
  CHECK(shown_p(0.00001) == "<0.0001");
  CHECK(shown_p(NAN) == "-");
}

TEST_CASE("of two groups the difference comes first, then the verdict", "[reports]") {
  const auto a = group("base", 8, {0.86, 0.87, 0.88, 0.87});
  const auto b = group("mine", 16, {0.875, 0.883, 0.891, 0.882});
  CHECK(headline_of({a, b}) ==
        "mine +1.28 points, 95 % [1.00, 1.55], 4 paired seeds\n"
        "test/accuracy: mine is better than base (paired t test, p = 0.0007)");
  CHECK(headline_of({b, a}) ==
        "base -1.28 points, 95 % [-1.55, -1.00], 4 paired seeds\n"
        "test/accuracy: base is worse than mine (paired t test, p = 0.0007)");
  CHECK(headline_of({a, b}, "test/loss") ==
        "mine -0.0128 nats, 95 % [-0.0155, -0.0100], 4 paired seeds\n"
        "test/loss: mine is better than base (paired t test, p = 0.0007)");
  CHECK(headline_of({a, b}, "seconds") ==
        "mine +0, 95 % [0, 0], 4 paired seeds\n"
        "seconds: undecided whether base or mine is better (paired t test, p = 1.0000)");
  auto other_seeds = b;
  for (RunRecord& run : other_seeds) run.metrics.seed += 10;
  CHECK(headline_of({a, other_seeds}) ==
        "mine +1.28 points, 95 % [-0.02, 2.57], 4 and 4 seeds\n"
        "test/accuracy: undecided whether base or mine is better (Welch's t test, p = 0.0527)");
}

TEST_CASE("too few seeds give no verdict", "[reports]") {
  const std::string few =
      "test/accuracy: too few seeds for a verdict, which takes 3 of each; \"runner sweep "
      "CONFIG... seed=0..9\" runs more";
  CHECK(headline_of({group("a", 8, {0.5}), group("b", 16, {0.75})}) ==
        "b +25.00 points, 1 paired seed\n" + few);
  CHECK(headline_of({group("a", 8, {0.5, 0.5}), group("b", 16, {0.75, 0.75})}) ==
        "b +25.00 points, 95 % [25.00, 25.00], 2 paired seeds\n" + few);
  CHECK(headline_of({group("a", 8, {0.5}), group("b", 16, {0.75}), group("c", 32, {0.25})}) ==
        "b: test/accuracy 75.00 %, 1 seed\n" + few);
  auto running = group("b", 16, {0.75});
  running[0].status = "running";
  CHECK(headline_of({group("a", 8, {0.5}), running}) ==
        "b has no finished run with test/accuracy\nwith care: b (running)");
}

TEST_CASE("what must not be compared silently is told at once", "[reports]") {
  auto b = group("b", 8, {0.6, 0.62, 0.61, 0.63});
  for (RunRecord& run : b) run.metrics.environment["torch"] = "2.14.0";
  b[3].status = "diverged";
  CHECK(headline_of({group("a", 8, {0.5, 0.52, 0.51, 0.53}), b}) ==
        "b +10.00 points, 95 % [10.00, 10.00], 3 paired seeds\n"
        "test/accuracy: b is better than a, of the runs that finished (paired t test, p < 0.0001)\n"
        "with care: b (other code, 1 diverged)");
}

TEST_CASE("of more groups the best, and how many are worse", "[reports]") {
  CHECK(
      headline_of({group("a", 8, {0.86, 0.87, 0.88, 0.87}), group("b", 16, {0.9, 0.91, 0.92, 0.93}),
                   group("c", 32, {0.5}), group("d", 64, {0.91, 0.9, 0.92, 0.92})}) ==
      "b: test/accuracy 91.50 %, 95 % [89.45, 93.55], standard deviation 1.29, 4 seeds\n"
      "the 3 others against it: 1 worse, 1 undecided, 1 too few seeds (t tests at 5 %, "
      "Holm-corrected for all pairs)");
}

TEST_CASE("of more groups those of other data or code are named", "[reports]") {
  const auto a = group("a", 8, {0.5, 0.52, 0.51, 0.53});
  auto b = group("b", 8, {0.9, 0.92, 0.91, 0.93}), c = group("c", 16, {0.4, 0.42, 0.41, 0.43});
  for (RunRecord& run : b) run.metrics.dataset["sha256"] = std::string(64, 'e');
  c[3].status = "diverged";
  CHECK(headline_of({a, b, c}) ==
        "a: test/accuracy 51.50 %, 95 % [49.45, 53.55], standard deviation 1.29, 4 seeds\n"
        "the 2 others against it: 1 better, 1 worse, of the runs that finished (t tests at 5 %, "
        "Holm-corrected for all pairs)\n"
        "with care: b (other data), c (1 diverged)");
  CHECK(headline_of({{a[0]}, {b[0]}, {c[0]}}) ==
        "a: test/accuracy 50.00 %, 1 seed\n"
        "test/accuracy: too few seeds for a verdict, which takes 3 of each; \"runner sweep "
        "CONFIG... seed=0..9\" runs more\n"
        "with care: b (other data)");
  std::vector<std::vector<RunRecord>> many = {a};
  for (int i = 0; i < 12; ++i) {
    many.push_back(group("x" + std::to_string(i), 16 + i, {0.5}));
    many.back()[0].metrics.environment["git"] = std::string(40, 'e');
  }
  for (int i = 0; i < 12; ++i) many.push_back(group("y" + std::to_string(i), 32 + i, {0.5}));
  CHECK_THAT(headline_of(many), EndsWith("x8 (other code), x9 (other code), 2 more"));
}

TEST_CASE("one group", "[reports]") {
  CHECK(headline_of({group("a", 8, {0.5})}) == "a: test/accuracy 50.00 %, 1 seed");
  CHECK(headline_of({group("a", 8, {0.5, 0.52})}) ==
        "a: test/accuracy 51.00 %, 95 % [38.29, 63.71], standard deviation 1.41, 2 seeds");
}

}  // namespace
}  // namespace vitrine
