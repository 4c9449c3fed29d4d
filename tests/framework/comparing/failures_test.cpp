#include "framework/comparing/failures.h"

#include "framework/comparing/comparison_text.h"
#include "framework/reports/report.h"
#include "tests/catch.h"
#include "tests/framework/comparing/support.h"

// A group of which runs diverged or failed is never the best in silence.
namespace vitrine {
namespace {

// Seeds of the experiment `name`, the first `failures` of which diverged.
std::vector<RunRecord> group(const std::string& name, int64_t hidden_d,
                             const std::vector<double>& accuracies, size_t failures = 0) {
  Metrics metrics = example_run();
  metrics.name = name;
  metrics.config["name"] = name;
  metrics.config["model"]["hidden_d"] = hidden_d;
  metrics.model["parameters"] = 100 * hidden_d;
  metrics.metrics["validation/accuracy"] = {"max", "fraction"};
  auto out = seeds_of(metrics, accuracies);
  for (RunRecord& run : out)
    run.metrics.summary["validation/accuracy"] = run.metrics.summary.at("test/accuracy");
  for (size_t i = 0; i < failures; ++i) {
    out[i].status = "diverged";
    out[i].metrics.summary = {{"train/loss", 9.0}};
  }
  return out;
}

std::vector<RunRecord> together(std::initializer_list<std::vector<RunRecord>> groups) {
  std::vector<RunRecord> out;
  for (const auto& runs : groups) out.insert(out.end(), runs.begin(), runs.end());
  return out;
}

std::string labels(const Comparison& comparison) {
  std::string out;
  for (const Group& group : comparison.groups) out += group.label;
  return out;
}

// What a report says on top.
std::string summary_of(const std::vector<RunRecord>& runs) {
  const std::string page = report_page(runs, {}), begin = "</h1>\n";
  const size_t from = page.find(begin) + begin.size();
  return page.substr(from, page.find("<nav>", from) - from);
}

const std::vector<double> kLow = {0.50, 0.52, 0.51, 0.53}, kHigh = {0.60, 0.63, 0.61, 0.64};

TEST_CASE("a group with failures is the reference only where each has some", "[reports]") {
  const auto low = group("a", 8, kLow), lower = group("b", 16, {0.4, 0.4, 0.4, 0.4});
  const auto high = group("c", 32, kHigh, 1), higher = group("d", 64, {0, 0, 0, 0.9}, 3);
  auto runs = together({high, higher, lower, low});
  Comparison comparison = compare_runs(pointers_to(runs), {});
  CHECK(comparison.reference == "a");
  sort_groups(comparison, "test/accuracy");
  CHECK(labels(comparison) == "abcd");
  sort_groups(comparison, "model.hidden_d", true);
  CHECK(labels(comparison) == "dcba");
  runs = together({higher, high, group("e", 4, {0, 0.9, 0.9, 0.9}, 2)});
  comparison = compare_runs(pointers_to(runs), {});
  CHECK(comparison.reference == "c");
  CHECK_THAT(headline(comparison),
             StartsWith("c: test/accuracy 62.67 %, 95 % [58.87, 66.46], standard deviation 1.53, "
                        "3 seeds; 1 of 4 diverged\n"));
}

TEST_CASE("failures are told in the headline, and a test over survivors as what it is",
          "[reports]") {
  const auto a = group("a", 8, kLow), b = group("b", 16, kHigh, 1);
  auto runs = together({a, b});
  CHECK(headline(compare_runs(pointers_to(runs), {})) ==
        "b +10.67 points, 95 % [9.23, 12.10], 3 paired seeds\n"
        "test/accuracy: b is better than a, of the runs that finished (paired t test, p = 0.0010)\n"
        "with care: b (1 diverged)");
  runs = together({a, b, group("c", 32, {0.4, 0.42, 0.41, 0.43})});
  CHECK(headline(compare_runs(pointers_to(runs), {})) ==
        "a: test/accuracy 51.50 %, 95 % [49.45, 53.55], standard deviation 1.29, 4 seeds\n"
        "the 2 others against it: 1 better, 1 worse, of the runs that finished (t tests at 5 %, "
        "Holm-corrected for all pairs)\n"
        "with care: b (1 diverged)");
}

TEST_CASE("one that survived keeps no group off the Pareto front", "[reports]") {
  const auto runs = together({group("a", 16, kLow), group("b", 8, kHigh, 1)});
  Comparison comparison = compare_runs(pointers_to(runs), {});
  CHECK(keep_pareto_front(comparison, {"test/accuracy", "model.parameters"}) == 0);
}

TEST_CASE("a report names the best group, and none with failures while there is another",
          "[reports]") {
  const auto a = group("a", 8, kLow), b = group("b", 16, {0, 0, 0.9}, 2);
  CHECK(summary_of(together({a, b})) ==
        "<p>7 runs: 2 diverged, 5 finished. Best by validation/accuracy: a with 51.50 %, the mean "
        "of 4 seeds</p>\n");
  const auto c = group("c", 32, {0, 0}, 2);
  CHECK(summary_of(together({b, c})) ==
        "<p>5 runs: 4 diverged, 1 finished. Best by validation/accuracy: b/2 with 90.00 %; 2 of 3 "
        "diverged</p>\n");
}

TEST_CASE("a report's charts count failures, and draw no line through survivors", "[reports]") {
  const auto runs = together({group("a", 8, kLow), group("b", 16, {0, 0, 0.9}, 2)});
  const std::string page = report_page(runs, {});
  const std::string begin = "id=\"data\">";
  const size_t from = page.find(begin) + begin.size();
  const auto data =
      nlohmann::ordered_json::parse(page.substr(from, page.find("</script>", from) - from));
  CHECK_FALSE(data.at("runs")[0].contains("failures"));
  CHECK(data.at("runs")[6].at("failures") == 2);
  const std::string charts = data.at("charts").dump();
  CHECK_THAT(charts, Contains(R"({"type":"filter","expr":"!datum.failures"})"));
  CHECK_THAT(charts, Contains(R"("name":"cross")"));
}

TEST_CASE("the best runs that a report describes are not of groups with failures", "[reports]") {
  const std::vector<double> many(13, 0.5);
  const auto runs = together({group("b", 16, {0, 0, 0.9}, 2), group("a", 8, many)});
  const std::string page = report_page(runs, {});
  CHECK_THAT(page, Contains("The 12 best of 16 runs by validation/accuracy"));
  CHECK_THAT(page, !Contains("<summary><b>b/"));
}

}  // namespace
}  // namespace vitrine
