#include "framework/comparing/comparison.h"

#include <cmath>

#include "tests/catch.h"
#include "tests/framework/comparing/support.h"
#include "tests/framework/runs/support.h"

namespace vitrine {
namespace {

using Texts = std::vector<std::string>;

Metrics variant(const std::string& name, int64_t hidden_d) {
  Metrics metrics = example_run();
  metrics.name = name;
  metrics.config["name"] = name;
  metrics.config["model"]["hidden_d"] = hidden_d;
  metrics.model["parameters"] = 100 * hidden_d;
  return metrics;
}

std::vector<RunRecord> together(std::vector<std::vector<RunRecord>> parts) {
  std::vector<RunRecord> out;
  for (auto& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

Comparison compared(const std::vector<RunRecord>& runs, const std::string& metric = "",
                    const Texts& baseline = {}) {
  std::vector<Condition> conditions;
  for (const std::string& text : baseline) conditions.emplace_back(text, "--baseline");
  return compare_runs(pointers_to(runs), {metric, conditions});
}

Texts labels(const Comparison& comparison) {
  Texts out;
  for (const Group& group : comparison.groups) out.push_back(group.label);
  return out;
}

const std::vector<double> kLow = {0.50, 0.52, 0.51, 0.53}, kHigh = {0.60, 0.63, 0.61, 0.64};

TEST_CASE("runs that differ in their seed alone are one group", "[reports]") {
  auto runs = seeds_of(variant("a", 8), kLow);
  runs[1].config["name"] = "other";
  runs[1].config["note"] = "a note";
  runs[2].config["tags"] = {"x"};
  const Comparison comparison = compared(runs);
  CHECK(comparison.keys.empty());
  REQUIRE(comparison.groups.size() == 1);
  CHECK(comparison.groups[0].counted.size() == 4);
  CHECK(comparison.groups[0].marks.empty());
  CHECK(std::abs(comparison.groups[0].spread("test/accuracy").mean - 0.515) < 1e-12);
  CHECK_FALSE(comparison.groups[0].contrast);
}

TEST_CASE("only keys that differ are named, also where a run lacks them", "[reports]") {
  Metrics other = variant("b", 16);
  other.config["model"]["mlp"] = {{"type", "swiglu"}, {"ratio", 4}, {"bias", true}};
  other.keys["set"] = {"model.mlp.bias"};
  const Comparison comparison = compared({record_of(variant("a", 8)), record_of(other, "runs/2")});
  CHECK(comparison.keys == Texts{"model.hidden_d", "model.mlp", "model.mlp.bias"});
  CHECK(comparison.groups[0].values.dump() == R"({"model.hidden_d":8,"model.mlp":"gelu"})");
}

TEST_CASE("labels tell groups apart", "[reports]") {
  const auto a8 = seeds_of(variant("a", 8), kLow), a16 = seeds_of(variant("a", 16), kHigh);
  const auto b16 = seeds_of(variant("b", 16), kHigh);
  CHECK(labels(compared(together({a8, b16}))) == Texts{"a", "b"});
  CHECK(compared(together({a8, b16})).label_keys.empty());
  CHECK(labels(compared(together({a8, a16}))) == Texts{"hidden_d=8", "hidden_d=16"});
  CHECK(compared(together({a8, a16})).label_keys == Texts{"model.hidden_d"});
  // Two keys with the same last part are written out; a key that is not there is a dash.
  auto other = seeds_of(variant("a", 16), kHigh);
  for (RunRecord& run : other) run.config["optimizer.hidden_d"] = 1;
  CHECK(labels(compared(together({a8, other}))) ==
        Texts{"model.hidden_d=8 optimizer.hidden_d=-", "model.hidden_d=16 optimizer.hidden_d=1"});
  // More keys than a label holds.
  auto many = seeds_of(variant("a", 8), {0.5});
  for (int i = 0; i < 7; ++i) many[0].config["model.key" + std::to_string(i)] = i;
  many[0].path = "runs/many";
  CHECK(labels(compared(together({seeds_of(variant("a", 8), {0.5}), many}))) ==
        Texts{"key0=-", "key0=0"});
}

TEST_CASE("groups that share a name have after it what tells them apart", "[reports]") {
  const auto a8 = seeds_of(variant("a", 8), kLow), a16 = seeds_of(variant("a", 16), kHigh);
  const auto b32 = seeds_of(variant("b", 32), {0.4});
  auto relu = seeds_of(variant("a", 16), kLow);
  for (RunRecord& run : relu) run.config["model.mlp"] = "relu";
  CHECK(labels(compared(together({a8, a16, b32}))) == Texts{"a hidden_d=8", "a hidden_d=16", "b"});
  CHECK(compared(together({a8, a16, b32})).label_keys.empty());
  CHECK(labels(compared(together({a16, relu, b32}))) == Texts{"a mlp=gelu", "a mlp=relu", "b"});
  CHECK(labels(compared(together({a8, a16, relu, b32}))) ==
        Texts{"a hidden_d=8 mlp=gelu", "a hidden_d=16 mlp=gelu", "a hidden_d=16 mlp=relu", "b"});

  // Three keys are not enough for this grid; all of them are.
  const auto grid = [](int bits) {
    std::vector<std::vector<RunRecord>> out = {seeds_of(variant("b", 32), {0.4})};
    for (int i = 0; i < 1 << bits; ++i) {
      out.push_back(seeds_of(variant("a", 8), {0.5, 0.5}));
      for (RunRecord& run : out.back()) {
        for (int bit = 0; bit < bits; ++bit) {
          run.config["model.k" + std::to_string(bit)] = i >> bit & 1;
        }
      }
    }
    return labels(compared(together(out)));
  };
  CHECK(grid(3)[1] == "a k0=0 k1=0 k2=0");
  CHECK(grid(4)[1] == "hidden_d=8 k0=0 k1=0 k2=0 k3=0");
  CHECK(grid(6)[1] == "k0=0 k1=0 k2=0 k3=0 k4=0 k5=0");  // six of the seven that differ
  CHECK(grid(7)[1] == "#2");                             // nor are six enough
}

TEST_CASE("a group that is alone has the names of its runs", "[reports]") {
  auto runs = seeds_of(variant("a", 8), kLow);
  CHECK(labels(compared(runs)) == Texts{"a"});
  runs[1].metrics.name = "b";
  CHECK(labels(compared(runs)) == Texts{"a, b"});
  for (size_t i = 2; i < 4; ++i) runs[i].metrics.name = std::string(1, static_cast<char>('a' + i));
  CHECK(labels(compared(runs)) == Texts{"a, b, c, ..."});
  // Beside others what differs tells more.
  CHECK(labels(compared(together({runs, seeds_of(variant("e", 16), kHigh)}))) ==
        Texts{"hidden_d=8", "hidden_d=16"});
}

TEST_CASE("a paired test over shared seeds", "[reports]") {
  const Comparison comparison =
      compared(together({seeds_of(variant("a", 8), kLow), seeds_of(variant("b", 16), kHigh)}));
  CHECK(comparison.metric == "test/accuracy");
  CHECK(comparison.reference == "a");
  CHECK_FALSE(comparison.groups[0].contrast);
  const Contrast& contrast = *comparison.groups[1].contrast;
  CHECK(contrast.paired);
  CHECK(contrast.n == 4);
  const Difference expected = paired_difference(kLow, kHigh);
  CHECK(contrast.difference.mean == expected.mean);
  CHECK(contrast.difference.interval.low == expected.interval.low);
  CHECK(contrast.p == expected.p);
  CHECK(contrast.verdict == Verdict::kBetter);
}

TEST_CASE("seeds that only one group has are left out of a pairing", "[reports]") {
  auto b = seeds_of(variant("b", 16), kHigh);
  b.erase(b.begin());
  const Comparison comparison = compared(together({seeds_of(variant("a", 8), kLow), b}));
  const Contrast& contrast = *comparison.groups[1].contrast;
  CHECK(contrast.paired);
  CHECK(contrast.n == 3);
  CHECK(contrast.difference.mean == paired_difference({0.52, 0.51, 0.53}, {0.63, 0.61, 0.64}).mean);
}

TEST_CASE("without enough shared seeds it is Welch's test", "[reports]") {
  auto b = seeds_of(variant("b", 16), kHigh);
  for (RunRecord& run : b) run.metrics.seed += 3;  // seed 3 alone is shared
  const Comparison comparison = compared(together({seeds_of(variant("a", 8), kLow), b}));
  const Contrast& contrast = *comparison.groups[1].contrast;
  CHECK_FALSE(contrast.paired);
  CHECK(contrast.n == 4);
  CHECK(contrast.reference_n == 4);
  CHECK(contrast.p == welch_difference(kLow, kHigh).p);
  CHECK(contrast.verdict == Verdict::kBetter);
}

TEST_CASE("verdicts follow the metric's goal", "[reports]") {
  const auto runs = together({seeds_of(variant("a", 8), kLow), seeds_of(variant("b", 16), kHigh)});
  const auto verdict = [&](const std::string& metric) {
    return to_string(compared(runs, metric).groups[1].contrast->verdict);
  };
  CHECK(verdict("test/accuracy") == "better");
  CHECK(verdict("test/loss") == "better");  // it fell
  CHECK(verdict("train/loss") == "undecided");
  CHECK(verdict("model.parameters") == "different");
  const auto reversed =
      together({seeds_of(variant("b", 16), kHigh), seeds_of(variant("a", 8), kLow)});
  CHECK(compared(reversed).groups[1].contrast->verdict == Verdict::kWorse);
}

TEST_CASE("fewer than three seeds give no verdict", "[reports]") {
  for (const size_t n : {1, 2}) {
    const std::vector<double> low(kLow.begin(), kLow.begin() + static_cast<std::ptrdiff_t>(n));
    const Comparison comparison =
        compared(together({seeds_of(variant("a", 8), low), seeds_of(variant("b", 16), kHigh)}));
    const Contrast& contrast = *comparison.groups[1].contrast;
    CHECK(contrast.verdict == Verdict::kTooFewSeeds);
    CHECK(std::isnan(contrast.p));
    CHECK(contrast.n == n);
  }
}

TEST_CASE("of more than two groups all are compared with the best, Holm-corrected", "[reports]") {
  const std::vector<double> close = {0.60, 0.62, 0.61, 0.64}, nearly = {0.57, 0.62, 0.595, 0.63};
  const auto runs =
      together({seeds_of(variant("a", 8), kLow), seeds_of(variant("b", 16), kHigh),
                seeds_of(variant("c", 32), close), seeds_of(variant("d", 64), nearly)});
  Comparison comparison = compared(runs);
  CHECK(comparison.reference == "b");
  std::vector<double> p;
  for (const auto* values : {&kLow, &close, &nearly}) {
    p.push_back(paired_difference(kHigh, *values).p);
  }
  CHECK(p[2] < 0.05);  // and no longer, once corrected for the six pairs of four groups
  CHECK(comparison.reference_is_best);
  CHECK(comparison.groups[0].contrast->p == 6 * p[0]);
  CHECK(comparison.groups[0].contrast->verdict == Verdict::kWorse);
  CHECK(comparison.groups[2].contrast->verdict == Verdict::kUndecided);
  CHECK(comparison.groups[3].contrast->p == 5 * p[2]);
  CHECK(comparison.groups[3].contrast->verdict == Verdict::kUndecided);

  // A baseline was there before the values: three tests are three.
  comparison = compared(runs, "", {"name=a"});
  CHECK(comparison.reference == "a");
  CHECK_FALSE(comparison.reference_is_best);
  std::vector<double> against_a;
  for (const auto* values : {&kHigh, &close, &nearly}) {
    against_a.push_back(paired_difference(kLow, *values).p);
  }
  for (size_t i = 0; i < 3; ++i) {
    CHECK(comparison.groups[i + 1].contrast->p == holm(against_a)[i]);
  }
  CHECK(comparison.groups[1].contrast->verdict == Verdict::kBetter);
  CHECK(error_of([&] { compared(runs, "", {"model.hidden_d>8"}); }) ==
        "2: --baseline selects 3 of the 4 groups, it must be one; they are: a; b; c; d");
  CHECK(error_of([&] { compared(runs, "", {"model.hidden_d=9"}); }) ==
        "2: --baseline selects none of the 4 groups, it must be one; they are: a; b; c; d");
  CHECK(error_of([&] { compared(runs, "", {"hiden=9"}); }) ==
        "2: --baseline hiden: no run has such a key or metric; did you mean model.hidden_d?");
}

TEST_CASE("what is of other data or code is not the reference unasked", "[reports]") {
  const std::vector<double> higher = {0.70, 0.73, 0.71, 0.74};
  const auto a = seeds_of(variant("a", 8), kLow), b = seeds_of(variant("b", 16), kHigh);
  auto c = seeds_of(variant("c", 32), higher);
  for (RunRecord& run : c) run.metrics.dataset["sha256"] = std::string(64, 'e');
  Comparison comparison = compared(together({a, b, c}));
  CHECK(comparison.groups[2].is_other);
  CHECK(comparison.reference == "b");
  CHECK(comparison.groups[2].contrast->verdict == Verdict::kBetter);
  CHECK(compared(together({a, b, c}), "", {"name=c"}).reference == "c");
  // Where no other group has a value, it is.
  auto unfinished = together({a, b});
  for (RunRecord& run : unfinished) run.status = "running";
  CHECK(compared(together({unfinished, c})).reference == "c");
}

TEST_CASE("runs that must not be compared silently are marked", "[reports]") {
  auto runs = seeds_of(variant("a", 8), {0.5, 0.5, 0.5, 0.5, 0.5, 0.5});
  runs[0].status = "interrupted";
  runs[1].status = "diverged";
  runs[2].metrics.exact = false;
  runs[3].metrics.summary["test/accuracy"] = NAN;
  runs[5].metrics.seed = 4;
  const Comparison comparison = compared(runs);
  const Group& group = comparison.groups[0];
  CHECK(group.marks ==
        Texts{"1 interrupted", "1 diverged", "1 inexact", "1 without test/accuracy", "1 repeated"});
  REQUIRE(group.counted.size() == 2);
  CHECK(group.counted[0] == &runs[2]);
  CHECK(group.counted[1] == &runs[4]);
  CHECK(group.remarks[0].first == &runs[0]);
  CHECK(group.remarks[0].second == "interrupted");
  // Of a group of one run there is nothing to count.
  CHECK(compared({runs[1]}).groups[0].marks == Texts{"diverged"});
}

TEST_CASE("other data or code make groups of their own, which are marked", "[reports]") {
  const auto a = seeds_of(variant("a", 8), kLow);
  const auto changed = [&](const std::function<void(Metrics&)>& change) {
    Metrics metrics = variant("a", 8);
    change(metrics);
    return compared(together({a, seeds_of(metrics, {0.5})}));
  };
  const auto marks = [&](const Comparison& comparison) {
    REQUIRE(comparison.groups.size() == 2);
    CHECK(comparison.groups[0].marks.empty());
    return comparison.groups[1].marks;
  };
  const Comparison data = changed([](Metrics& m) { m.dataset["sha256"] = std::string(64, 'e'); });
  CHECK(marks(data) == Texts{"other data"});
  CHECK(data.keys == Texts{"dataset.sha256"});
  CHECK(labels(data) == Texts{"sha256=bbbbbbbb", "sha256=eeeeeeee"});
  // Where the config says what is other in the data, their digest says nothing more.
  const Comparison more = changed([](Metrics& m) {
    m.dataset["sha256"] = std::string(64, 'e');
    m.config["dataset"] = {{"type", "digits"}, {"train", 200}};
  });
  CHECK(marks(more).empty());
  CHECK(more.keys == Texts{"dataset"});
  const Comparison git = changed([](Metrics& m) {
    m.environment["git"] = std::string(40, 'e') + "-dirty";
    m.environment["build"] = "0123456789abcdef";
  });
  CHECK(marks(git) == Texts{"other code"});
  CHECK(git.keys == Texts{"environment.git"});
  CHECK(labels(git) == Texts{"git=cccccccc", "git=eeeeeeee-dirty"});
  const Comparison build = changed([](Metrics& m) { m.environment["build"] = "0123456789abcdef"; });
  CHECK(marks(build) == Texts{"other code"});
  CHECK(build.keys == Texts{"environment.build"});
  CHECK(marks(changed([](Metrics& m) { m.environment["torch"] = "2.14.0"; })) ==
        Texts{"other code"});
}

TEST_CASE("runs with other numbers of threads are one group, which is marked", "[reports]") {
  auto runs = seeds_of(variant("a", 8), kLow);
  runs[1].metrics.execution["threads"]["value"] = 2;
  const Comparison comparison = compared(runs);
  REQUIRE(comparison.groups.size() == 1);
  CHECK(comparison.groups[0].marks == Texts{"threads 1 and 2"});
}

TEST_CASE("runs without a config are left out with the reason", "[reports]") {
  const auto good = seeds_of(variant("a", 8), kLow);
  RunRecord broken{"runs/x", "unreadable", "runs/x/metrics.json: invalid JSON", {}, {}};
  RunRecord early{"runs/y", "interrupted", "", {}, {}};
  const Comparison comparison = compared(together({good, {broken, early}}));
  CHECK(comparison.groups.size() == 1);
  REQUIRE(comparison.left_out.size() == 2);
  CHECK(comparison.left_out[0].second == "runs/x/metrics.json: invalid JSON");
  CHECK(comparison.left_out[1].second == "interrupted before its first metrics.json");
  CHECK(error_of([&] {
          compared({early, broken});
        }) ==
        "3: no run can be compared; the first, runs/y: interrupted before its first metrics.json");
}

TEST_CASE("the metric that decides", "[reports]") {
  auto runs = seeds_of(variant("a", 8), {0.5});
  CHECK(compared(runs).metric == "test/accuracy");
  CHECK(compared(runs, "train/loss").metric == "train/loss");
  CHECK(error_of([&] { compared(runs, "tset/accuracy"); }) ==
        "2: --metric tset/accuracy: no run has such a key or metric; did you mean test/accuracy?");
  runs[0].metrics.summary = Metrics::Object::object();
  runs[0].status = "running";
  CHECK(compared(runs).metric == "train/loss");
}

TEST_CASE("what most of the finished runs have decides", "[reports]") {
  auto runs = seeds_of(variant("a", 8), {0.5, 0.5, 0.5, 0.5});
  for (RunRecord& run : runs) run.metrics.summary["validation/accuracy"] = 0.4;
  for (size_t i = 0; i < 3; ++i) {
    runs[i].metrics.summary.erase("test/accuracy");
    runs[i].metrics.summary.erase("test/loss");
  }
  CHECK(compared(runs).metric == "validation/accuracy");
  // Half of them are enough; what is not finished does not count.
  runs[0].status = runs[1].status = "running";
  CHECK(compared(runs).metric == "test/accuracy");
  // Where no metric is that common, the first that there is.
  for (RunRecord& run : runs) run.status = "finished";
  for (size_t i = 0; i < 3; ++i) runs[i].metrics.summary = {{"seconds", 1.0}};
  CHECK(compared(runs).metric == "test/accuracy");
}

TEST_CASE("groups are sorted by metrics and keys", "[reports]") {
  auto runs = together({seeds_of(variant("a", 32), kLow), seeds_of(variant("b", 8), kHigh),
                        seeds_of(variant("c", 16), {0.55})});
  runs.back().status = "diverged";
  runs.back().metrics.summary = {{"train/loss", 1.0}};
  Comparison comparison = compared(runs);
  sort_groups(comparison, "test/accuracy");
  CHECK(labels(comparison) == Texts{"b", "a", "c"});
  sort_groups(comparison, "test/loss");
  CHECK(labels(comparison) == Texts{"b", "a", "c"});
  sort_groups(comparison, "model.hidden_d");
  CHECK(labels(comparison) == Texts{"b", "c", "a"});
  sort_groups(comparison, "name");
  CHECK(labels(comparison) == Texts{"a", "b", "c"});
  sort_groups(comparison, "name", true);
  CHECK(labels(comparison) == Texts{"c", "b", "a"});
  sort_groups(comparison, "test/loss", true);
  CHECK(labels(comparison) == Texts{"a", "b", "c"});
  CHECK(comparison.reference == "b");
}

TEST_CASE("the Pareto front", "[reports]") {
  auto runs = together({seeds_of(variant("a", 8), {0.5}), seeds_of(variant("b", 16), {0.6}),
                        seeds_of(variant("c", 32), {0.6}), seeds_of(variant("d", 64), {0.7}),
                        seeds_of(variant("e", 4), {0.4})});
  runs.back().metrics.summary.erase("test/accuracy");
  Comparison comparison = compared(runs);
  CHECK(keep_pareto_front(comparison, {"test/accuracy", "model.parameters"}) == 2);
  CHECK(labels(comparison) == Texts{"a", "b", "d"});
  CHECK(comparison.reference == "d");
}

TEST_CASE("the Pareto front takes the time of all epochs of a run without a summary", "[reports]") {
  auto runs = together({seeds_of(variant("a", 8), {0.5}), seeds_of(variant("b", 16), {0.5})});
  for (RunRecord& run : runs) {
    run.status = "stopped";
    run.metrics.summary = Metrics::Object::object();
  }
  runs[0].metrics.add_epoch({{"epoch", 2}, {"step", 12}, {"train/loss", 2.25}, {"seconds", 0.25}});
  Comparison comparison = compared(runs);
  CHECK(comparison.groups[0].spread("seconds").mean == 0.75);
  CHECK(keep_pareto_front(comparison, {"train/loss", "seconds"}) == 1);
  CHECK(labels(comparison) == Texts{"b"});
}

}  // namespace
}  // namespace vitrine
