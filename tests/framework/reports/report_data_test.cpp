#include "framework/reports/report_data.h"

#include "framework/reports/report_tables.h"
#include "tests/catch.h"
#include "tests/framework/comparing/support.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;
using Kind = ReportColumn::Kind;

std::vector<std::string> names_of(const ReportData& data, Kind kind) {
  std::vector<std::string> out;
  for (const ReportColumn* column : data.columns_of(kind)) out.push_back(column->name);
  return out;
}

// Two sizes with two seeds each.
std::vector<RunRecord> grid() {
  std::vector<RunRecord> out;
  for (const int size : {16, 8}) {
    for (const int seed : {0, 1}) {
      Metrics metrics = example_run(seed, 0.5 + size / 100.0 + seed / 1000.0);
      metrics.config["model"]["hidden_d"] = size;
      metrics.model["parameters"] = 100 * size;
      out.push_back(
          record_of(metrics, "runs/s/trials/" + std::to_string(size) + "-" + std::to_string(seed)));
    }
  }
  return out;
}

TEST_CASE("columns are what differs in the configs, and what was measured") {
  const ReportData data = report_data(grid());
  CHECK(names_of(data, Kind::kParameter) == std::vector<std::string>{"model.hidden_d"});
  CHECK(names_of(data, Kind::kSeed) == std::vector<std::string>{"seed"});
  CHECK(names_of(data, Kind::kMetric) ==
        std::vector<std::string>{"test/accuracy", "test/loss", "train/loss", "seconds",
                                 "model.parameters", "model.flops_per_image"});
  CHECK(names_of(data, Kind::kGroup).empty());  // which the one parameter tells
  CHECK(names_of(data, Kind::kFact).empty());
  CHECK(data.first_metric()->name == "test/accuracy");
  CHECK(data.first_metric()->info.goal == "max");
  CHECK(data.column("model.hidden_d")->values == std::vector<Json>{8, 16});
  CHECK(data.labels == std::vector<std::string>{"16-0", "16-1", "8-0", "8-1"});
}

TEST_CASE("runs of several parameters have the groups of a comparison") {
  std::vector<RunRecord> runs = grid();
  for (size_t i = 0; i < runs.size(); ++i) runs[i].config["model.n_heads"] = i < 2 ? 4 : 2;
  runs[3].config["model.mlp"] = "swiglu";
  const ReportData data = report_data(runs);
  CHECK(names_of(data, Kind::kGroup) == std::vector<std::string>{"group"});
  CHECK(data.column("group")->values == std::vector<Json>{"hidden_d=16 mlp=gelu n_heads=4",
                                                          "hidden_d=8 mlp=gelu n_heads=2",
                                                          "hidden_d=8 mlp=swiglu n_heads=2"});
  const std::string table = runs_table(data);
  CHECK(table.find("data-column=\"" + data.column("model.mlp")->id) != table.npos);
  CHECK(table.find("data-column=\"" + data.column("group")->id) == table.npos);
}

TEST_CASE("words, lists and missing keys are values of a parameter") {
  std::vector<RunRecord> runs = grid();
  runs[0].config["model.mlp"] = "swiglu";
  runs[1].config.erase("model.mlp.ratio");
  runs[3].metrics.keys["set"] = {"model.mlp.ratio"};
  runs[2].config["model.n_patches"] = {7, 4};
  runs[3].metrics.environment["git"] = std::string(40, 'e');
  const ReportData data = report_data(std::move(runs));
  CHECK(names_of(data, Kind::kParameter) == std::vector<std::string>{"model.hidden_d",
                                                                     "model.n_patches", "model.mlp",
                                                                     "model.mlp.ratio"});
  CHECK_FALSE(data.column("model.n_patches")->numeric);
  CHECK(data.column("model.n_patches")->values == std::vector<Json>{"[7, 4]", "[7]"});
  CHECK(data.column("model.mlp")->values == std::vector<Json>{"gelu", "swiglu"});
  CHECK(data.column("model.mlp.ratio")->numeric);
  CHECK(data.value(1, *data.column("model.mlp.ratio")).is_null());
  CHECK(names_of(data, Kind::kFact) == std::vector<std::string>{"environment.git"});
  CHECK(data.value(3, *data.column("environment.git")) == "eeeeeeee");
}

TEST_CASE("names are a column where they differ, and threads are no parameter") {
  CHECK(report_data(grid()).column("name") == nullptr);
  std::vector<RunRecord> runs = grid();
  runs[1].metrics.name = "wide";
  runs[2].metrics.name = "";  // as of one that cannot be read
  runs[3].metrics.execution["threads"]["value"] = 2;
  const ReportData data = report_data(std::move(runs));
  CHECK(names_of(data, Kind::kName) == std::vector<std::string>{"name"});
  CHECK(data.column("name")->values == std::vector<Json>{"small", "wide"});
  CHECK(data.value(2, *data.column("name")).is_null());
  CHECK(names_of(data, Kind::kParameter) == std::vector<std::string>{"model.hidden_d"});
  CHECK(names_of(data, Kind::kFact) == std::vector<std::string>{"threads"});
}

TEST_CASE("validation comes before the test, and what is not finite is no value") {
  std::vector<RunRecord> runs = grid();
  for (RunRecord& run : runs) run.metrics.summary["validation/accuracy"] = 0.5;
  runs[0].metrics.summary["validation/accuracy"] = std::nan("");
  const ReportData data = report_data(std::move(runs));
  CHECK(data.first_metric()->name == "validation/accuracy");
  CHECK(data.value(0, *data.first_metric()).is_null());
  const Json rows = run_rows(data);
  CHECK_FALSE(rows[0].contains(data.first_metric()->id));
  CHECK(rows[1].at(data.first_metric()->id) == 0.5);
  CHECK(rows[1].at("label") == "16-1");
  CHECK(rows[1].at("status") == "finished");
}

TEST_CASE("runs of different folders are told by what their paths do not share") {
  std::vector<RunRecord> runs = {record_of(example_run(), "runs/a/1"),
                                 record_of(example_run(), "runs/b/1")};
  CHECK(report_data(runs).labels == std::vector<std::string>{"a/1", "b/1"});
  runs[1].path = "/elsewhere/\x1b[31m";
  CHECK(report_data(runs).labels == std::vector<std::string>{"runs/a/1", "/elsewhere/\\x1b[31m"});
  runs = {record_of(example_run(), ".")};
  CHECK(report_data(runs).labels == std::vector<std::string>{"20261122-101500-3fa2c1"});
}

TEST_CASE("cells are written as people read them") {
  const ReportColumn fraction = {"c0", "a", Kind::kMetric, {"max", "fraction"}};
  const ReportColumn plain = {"c0", "a", Kind::kMetric, {"none", ""}};
  const ReportColumn parameter = {"c0", "a", Kind::kParameter};
  CHECK(cell_text(0.8736, fraction) == "87.36 %");
  CHECK(cell_text(1.5, plain) == "1.5");
  CHECK(cell_text(1234567, plain) == "1,234,567");
  CHECK(cell_text(123, plain) == "123");
  CHECK(cell_text(-123, plain) == "-123");
  CHECK(cell_text(100000, parameter) == "100000");
  CHECK(cell_text(0.0003, parameter) == "0.0003");
  CHECK(cell_text("gelu", parameter) == "gelu");
  CHECK(cell_text(nullptr, plain) == "–");
}

TEST_CASE("curves have the epochs of all runs, with seconds summed up") {
  std::vector<RunRecord> runs = grid();
  runs.resize(2);
  runs[1].metrics.add_epoch(
      {{"epoch", 2}, {"step", 12}, {"train/loss", 1.23456789}, {"seconds", 0.25}, {"lr", 0.1}});
  const Json curves = curves_of(report_data(std::move(runs)));
  CHECK(curves == Json({{"names", {"run", "epoch", "step", "seconds", "h0", "h1"}},
                        {"rows",
                         {{0, 1, 6, 0.5, 2.25, nullptr},
                          {1, 1, 6, 0.5, 2.25, nullptr},
                          {1, 2, 12, 0.75, 1.23457, 0.1}}},
                        {"metrics",
                         {{{"id", "h0"}, {"name", "train/loss"}, {"unit", "nats"}},
                          {{"id", "h1"}, {"name", "lr"}, {"unit", ""}}}},
                        {"every", 1}}));
}

TEST_CASE("a run without a summary shows the time of all its epochs") {
  std::vector<RunRecord> runs = grid();
  runs.resize(2);
  Metrics& paused = runs[1].metrics;
  paused.summary = Json::object();
  paused.add_epoch({{"epoch", 2}, {"step", 12}, {"train/loss", 1.5}, {"seconds", 0.25}});
  const ReportData data = report_data(std::move(runs));
  const ReportColumn* seconds = data.column("seconds");
  REQUIRE(seconds != nullptr);
  CHECK(data.value(0, *seconds) == 0.5);
  CHECK(data.value(1, *seconds) == 0.75);
}

TEST_CASE("of long histories epochs are left out, but never the last") {
  std::vector<RunRecord> runs;
  for (int i = 0; i < 400; ++i) {
    runs.push_back(record_of(example_run(i), "runs/" + std::to_string(i)));
    for (int epoch = 2; epoch <= 600; ++epoch) {
      runs.back().metrics.history.push_back(
          {{"epoch", epoch}, {"step", epoch}, {"train/loss", 1}, {"seconds", 1}});
    }
  }
  const Json curves = curves_of(report_data(std::move(runs)));
  CHECK(curves.at("every") == 3);
  CHECK(curves.at("rows").size() == 400 * 201);
  CHECK(curves.at("rows")[200] == Json({0, 600, 600, 599.5, 1}));
}

}  // namespace
}  // namespace vitrine
