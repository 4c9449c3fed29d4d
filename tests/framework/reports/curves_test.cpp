#include "framework/reports/curves.h"

#include <cmath>

#include "framework/error.h"
#include "tests/catch.h"
#include "tests/framework/comparing/support.h"
#include "tests/framework/runs/support.h"

namespace vitrine {
namespace {

// Three epochs of a run of `seed` under the learning rate `lr`.
RunRecord record(int64_t seed, double lr, std::vector<double> accuracies) {
  Metrics metrics = example_run(seed);
  metrics.config["optimizer"]["lr"] = lr;
  metrics.metrics["validation/accuracy"] = {"max", "fraction"};
  metrics.history.clear();
  for (size_t i = 0; i < accuracies.size(); ++i) {
    const auto epoch = static_cast<int64_t>(i) + 1;
    metrics.add_epoch({{"epoch", epoch},
                       {"step", 6 * epoch},
                       {"seconds", 0.5 * static_cast<double>(seed + 1)},
                       {"validation/accuracy", accuracies[i]},
                       {"train/loss", 2.5}});
  }
  RunRecord out;
  out.path = fmt::format("runs/{}-{}", lr, seed);
  out.status = "finished";
  out.metrics = metrics;
  out.config = flat_config(metrics.config);
  return out;
}

CurveOptions options(const std::string& x, Band band) { return {"validation/accuracy", x, band}; }

std::string csv(const std::vector<RunRecord>& runs, const CurveOptions& options) {
  return to_csv(read_curves(runs, options));
}

std::string refusal(const std::vector<RunRecord>& runs, const CurveOptions& options) {
  try {
    draw(read_curves(runs, options));
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kUsage);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("runs that differ in seed alone become one curve with a band") {
  const std::vector<RunRecord> runs = {record(0, 0.5, {0.25, 0.5}), record(1, 0.5, {0.75, 0.75}),
                                       record(0, 0.125, {0.5})};
  CHECK(csv(runs, options("epoch", Band::kStd)) ==
        "group,epoch,mean,std,n\n"
        "lr=0.5,1,0.5,0.3535533905932738,2\n"
        "lr=0.5,2,0.625,0.1767766952966369,2\n"
        "lr=0.125,1,0.5,,1\n");
  CHECK(csv(runs, options("step", Band::kNone)) ==
        "group,run,step,value\n"
        "lr=0.5,runs/0.5-0,6,0.25\n"
        "lr=0.5,runs/0.5-0,12,0.5\n"
        "lr=0.5,runs/0.5-1,6,0.75\n"
        "lr=0.5,runs/0.5-1,12,0.75\n"
        "lr=0.125,runs/0.125-0,6,0.5\n");
  // Seconds add up, and their mean stands for the seeds; t is 12.706 with one degree of freedom.
  const Curves curves = read_curves(runs, options("seconds", Band::kCi));
  CHECK_THAT(to_csv(curves), StartsWith("group,seconds,mean,low,high,n\nlr=0.5,0.75,0.5,"));
  REQUIRE(curves.groups.size() == 2);
  REQUIRE(curves.groups[0].means.size() == 2);
  CHECK(curves.groups[0].means[1].x == 1.5);
  CHECK(std::abs(curves.groups[0].means[1].spread.interval.high - (0.625 + 12.7062047 * 0.125)) <
        1e-6);
}

TEST_CASE("an epoch that only some seeds have is the mean of these") {
  std::vector<RunRecord> runs = {record(0, 0.5, {0.25, 0.5, 0.75}), record(1, 0.5, {0.75, NAN})};
  runs[1].status = "stopped";
  CHECK(csv(runs, options("epoch", Band::kStd)) ==
        "group,epoch,mean,std,n\n"
        "small,1,0.5,0.3535533905932738,2\n"
        "small,2,0.5,,1\n"
        "small,3,0.75,,1\n");
}

TEST_CASE("a seed counts once, by the run that came furthest") {
  std::vector<RunRecord> runs = {record(0, 0.5, {0.25, 0.5}), record(0, 0.5, {0.25, 0.5, 0.75})};
  runs[0].path = "runs/first";
  runs[0].status = "interrupted";
  const Curves curves = read_curves(runs, options("epoch", Band::kStd));
  CHECK(curves.left_out == std::vector<std::string>{"runs/first repeats runs/0.5-0"});
  CHECK(to_csv(curves) ==
        "group,epoch,mean,std,n\nsmall,1,0.25,,1\nsmall,2,0.5,,1\nsmall,3,0.75,,1\n");
}

TEST_CASE("runs without the metric are named, and near names where none has it") {
  RunRecord bare = record(0, 0.5, {0.25}), broken;
  bare.path = "runs/ba\x1bre";
  bare.metrics.history[0].erase("validation/accuracy");
  broken.error = "runs/broken/metrics.json: not JSON";
  const Curves curves =
      read_curves({record(1, 0.5, {0.5}), bare, broken}, options("epoch", Band::kStd));
  CHECK(curves.left_out == std::vector<std::string>{"runs/ba\\x1bre has no validation/accuracy",
                                                    "runs/broken/metrics.json: not JSON"});
  CHECK(refusal({record(0, 0.5, {0.25})}, {"validation/acuracy", "epoch", Band::kStd}) ==
        "--metric: no run has \"validation/acuracy\" in its history (did you mean "
        "validation/accuracy?); there are seconds, train/loss, validation/accuracy");
  CHECK(refusal({record(0, 0.5, {})}, options("epoch", Band::kStd)) ==
        "no run has ended an epoch yet: there is nothing to draw");
}

TEST_CASE("a loss of -0 is 0 in a CSV") {
  Metrics metrics = example_run();
  metrics.history[0]["train/loss"] = -0.0;
  const RunRecord run = record_of(metrics);
  CHECK_THAT(to_csv(read_curves({run}, {.metric = "train/loss"})), EndsWith(",1,0,,1\n"));
}

TEST_CASE("labels in a CSV are quoted where they must be") {
  RunRecord one = record(0, 0.5, {0.5}), two = record(0, 0.25, {0.5});
  one.metrics.name = "a, \"b\"";
  CHECK(csv({one, two}, options("epoch", Band::kStd)) ==
        "group,epoch,mean,std,n\n\"a, \"\"b\"\"\",1,0.5,,1\nsmall,1,0.5,,1\n");
}

TEST_CASE("more groups than there are lines to tell apart are refused as a picture") {
  std::vector<RunRecord> runs;
  for (int i = 1; i <= 29; ++i) runs.push_back(record(0, i, {0.5, 0.6}));
  CHECK(
      refusal(runs, options("epoch", Band::kStd)) ==
      "29 lines cannot be told apart, at most 28 can: give fewer runs, or write a .csv or a .json");
  runs.pop_back();
  CHECK(refusal(runs, options("epoch", Band::kStd)) == "");
}

}  // namespace vitrine
