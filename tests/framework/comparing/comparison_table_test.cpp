#include "framework/comparing/comparison_table.h"

#include "tests/catch.h"
#include "tests/framework/comparing/support.h"

namespace vitrine {
namespace {

using Rows = std::vector<std::vector<std::string>>;

// Two configs with four seeds each; the last run of the second did not end.
std::vector<RunRecord> example_runs() {
  std::vector<RunRecord> out = seeds_of(example_run(), {0.50, 0.52, 0.51, 0.53});
  Metrics wide = example_run();
  wide.config["model"]["hidden_d"] = 16;
  wide.model["parameters"] = 2000;
  for (RunRecord& run : seeds_of(wide, {0.60, 0.63, 0.61, 0.64})) out.push_back(std::move(run));
  out.back().status = "stopped";
  return out;
}

TEST_CASE("a row a group, with keys, statistics, values and marks", "[reports]") {
  const auto runs = example_runs();
  const Comparison comparison = compare_runs(pointers_to(runs), {});
  CHECK(table_of(comparison, {}).rows() ==
        Rows{{"model.hidden_d", "seeds", "test/accuracy", "95 %", "difference", "95 % of it", "p",
              "verdict", "test/loss", "model.parameters", "seconds", "marks"},
             {"8", "4", "51.50 ± 1.29 %", "[49.45, 53.55]", "", "", "", "", "0.4850 ± 0.0129",
              "1000", "0.5", ""},
             {"16", "3 of 4", "61.33 ± 1.53 %", "[57.54, 65.13]", "+10.33", "[8.90, 11.77]",
              "0.0010", "better", "0.3867 ± 0.0153", "2000", "0.5", "1 stopped"}});
}

TEST_CASE("columns that are asked for stand beside the statistics", "[reports]") {
  const auto runs = example_runs();
  const Comparison comparison = compare_runs(pointers_to(runs), {});
  CHECK(table_of(comparison, {.columns = {"seed", "test/loss", "model.mlp"}}).rows() ==
        Rows{{"group", "seed", "model.mlp", "seeds", "test/accuracy", "95 %", "difference",
              "95 % of it", "p", "verdict", "test/loss", "marks"},
             {"hidden_d=8", "0, 1, 2, ...", "gelu", "4", "51.50 ± 1.29 %", "[49.45, 53.55]", "", "",
              "", "", "0.4850 ± 0.0129", ""},
             {"hidden_d=16", "0, 1, 2, ...", "gelu", "3 of 4", "61.33 ± 1.53 %", "[57.54, 65.13]",
              "+10.33", "[8.90, 11.77]", "0.0010", "better", "0.3867 ± 0.0153", "1 stopped"}});
}

TEST_CASE("single runs have neither spread nor verdict", "[reports]") {
  const auto all = example_runs();
  const Comparison comparison = compare_runs({&all[0], &all[4]}, {});
  CHECK(table_of(comparison, {}).rows() ==
        Rows{{"model.hidden_d", "seeds", "test/accuracy", "difference", "test/loss",
              "model.parameters", "seconds"},
             {"8", "1", "50.00 %", "", "0.5000", "1000", "0.5"},
             {"16", "1", "60.00 %", "+10.00", "0.4000", "2000", "0.5"}});
}

TEST_CASE("all metrics, grouped by split", "[reports]") {
  const auto runs = seeds_of(example_run(), {0.5});
  const Comparison comparison = compare_runs(pointers_to(runs), {});
  CHECK(table_of(comparison, {.all_metrics = true}).rows()[0] ==
        std::vector<std::string>{"group", "seeds", "test/accuracy", "test/loss", "train/loss",
                                 "model.parameters", "model.flops_per_image"});
}

// Groups that differ in many keys, as in a folder of everything.
std::vector<RunRecord> various_runs() {
  std::vector<RunRecord> out;
  for (int i = 0; i < 6; ++i) {
    Metrics metrics = example_run();
    metrics.config["model"]["hidden_d"] = 8 * (i % 3 + 1);
    metrics.config["model"]["n_blocks"] = i / 3 + 1;
    metrics.config["model"]["head"] = i == 5 ? "mlp" : "linear";
    metrics.config["optimizer"]["lr"] = i == 4 ? 0.01 : 0.005;
    metrics.config["loss"] = {{"type", i == 3 ? "mse" : "cross_entropy"}};
    metrics.config["training"] = {{"epochs", i == 2 ? 9 : 5}, {"batch_size", i == 1 ? 64 : 128}};
    out.push_back(record_of(metrics, "runs/" + std::to_string(i)));
  }
  return out;
}

TEST_CASE("the few keys that part the groups most have columns, the rest is folded", "[reports]") {
  const auto runs = various_runs();
  const Comparison comparison = compare_runs(pointers_to(runs), {});
  CHECK(comparison.keys.size() == 7);
  CHECK(comparison.main_keys[0] == "model.hidden_d");
  CHECK(comparison.main_keys[1] == "model.n_blocks");
  CHECK(comparison.label_keys == std::vector<std::string>{"model.hidden_d", "model.n_blocks"});
  CHECK(comparison.groups[5].label == "hidden_d=24 n_blocks=2");
  const ComparisonTable table = table_of(comparison, {});
  CHECK(table.rows()[0] == std::vector<std::string>{"model.hidden_d", "model.n_blocks",
                                                    "model.head", "optimizer.lr", "seeds",
                                                    "test/accuracy", "difference", "test/loss",
                                                    "model.parameters", "seconds"});
  CHECK(table.folded == std::vector<std::string>{"loss", "training.epochs", "training.batch_size"});
  const ComparisonTable labelled = table_of(comparison, {.most_keys = 1, .always_labels = true});
  CHECK(labelled.rows()[0][1] == "model.head");
  CHECK(labelled.folded ==
        std::vector<std::string>{"optimizer.lr", "loss", "training.epochs", "training.batch_size"});
}

TEST_CASE("lists of named mappings are shown by their names and what differs", "[reports]") {
  std::vector<RunRecord> runs;
  for (const double weight : {0.5, 1.0, 0.0}) {
    Metrics metrics = example_run();
    Metrics::Object tasks = {{{"name", "digit"}, {"weight", 1}, {"target", "label"}}};
    if (weight > 0)
      tasks.push_back({{"name", "above"}, {"weight", weight}, {"target", {{"above", 5}}}});
    metrics.config["model"]["tasks"] = tasks;
    runs.push_back(record_of(metrics, fmt::format("runs/{}", weight)));
  }
  const auto rows = table_of(compare_runs(pointers_to(runs), {})).rows();
  CHECK(rows[0][0] == "model.tasks");
  CHECK(rows[1][0] == "[digit, above (weight 0.5)]");
  CHECK(rows[2][0] == "[digit, above (weight 1)]");
  CHECK(rows[3][0] == "[digit]");
}

}  // namespace
}  // namespace vitrine
