#include "framework/reports/comparison_table.h"

#include "tests/catch.h"
#include "tests/framework/reports/support.h"

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
  CHECK(table_of(comparison, {"seed", "test/loss", "model.mlp"}).rows() ==
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
  CHECK(table_of(comparison, {}, true).rows()[0] ==
        std::vector<std::string>{"group", "seeds", "test/accuracy", "test/loss", "train/loss",
                                 "model.parameters", "model.flops_per_image"});
}

TEST_CASE("CSV has numbers in full and a column for each statistic", "[reports]") {
  const auto all = example_runs();
  CHECK(comparison_csv(compare_runs({&all[1]}, {}), {"model.n_patches"}) ==
        "group,model.n_patches,runs,seeds,test/accuracy,test/accuracy deviation,"
        "test/accuracy low,test/accuracy high,difference,difference low,difference high,p,"
        "verdict,marks\n"
        "small,[7],1,1,0.52,,,,,,,,,");
  auto quoted = all[0];
  quoted.metrics.name = "a,\"b\"";
  const std::string csv = comparison_csv(compare_runs({&quoted}, {}), {"seed"});
  CHECK(csv.substr(csv.find('\n') + 1).starts_with("\"a,\"\"b\"\"\",0,1,1,0.5,,,,"));
}

TEST_CASE("JSON names what p is corrected by", "[reports]") {
  auto runs = example_runs();
  Metrics wider = example_run();
  wider.config["model"]["hidden_d"] = 32;
  for (RunRecord& run : seeds_of(wider, {0.70, 0.71, 0.72, 0.73})) runs.push_back(std::move(run));
  const auto correction = [&](const ComparisonOptions& options) {
    return comparison_json(compare_runs(pointers_to(runs), options)).at("correction");
  };
  CHECK(correction({}) == "holm, all pairs");
  CHECK(correction({"", {Condition("model.hidden_d=8", "--baseline")}}) == "holm");
}

TEST_CASE("JSON has groups, contrasts and every run", "[reports]") {
  const auto runs = example_runs();
  const auto json = comparison_json(compare_runs(pointers_to(runs), {}));
  CHECK(json.at("metric") == "test/accuracy");
  CHECK(json.at("goal") == "max");
  CHECK(json.at("unit") == "fraction");
  CHECK(json.at("keys").dump() == R"(["model.hidden_d"])");
  CHECK(json.at("reference") == "hidden_d=8");
  CHECK(json.at("significance") == 0.05);
  CHECK(json.at("correction").is_null());
  CHECK(json.at("left_out").empty());
  const auto& wide = json.at("groups").at(1);
  CHECK(wide.at("label") == "hidden_d=16");
  CHECK(wide.at("values").dump() == R"({"model.hidden_d":16})");
  CHECK(wide.at("marks").dump() == R"(["1 stopped"])");
  CHECK(wide.at("metrics").at("test/accuracy").at("n") == 3);
  CHECK(wide.at("contrast").at("n") == 3);
  CHECK(wide.at("contrast").at("paired") == true);
  CHECK(wide.at("contrast").at("verdict") == "better");
  CHECK(json.at("groups").at(0).at("contrast").is_null());
  CHECK(wide.at("runs").at(3).dump() ==
        R"({"run":"runs/small/3","seed":3,"status":"stopped","counted":false,)"
        R"("remark":"stopped","value":0.64})");
}

TEST_CASE("tables for papers and pages", "[reports]") {
  const Rows rows = {{"a|b", "c_d"}, {"51.50 ± 1.29 %", "x\\y^z"}};
  CHECK(to_markdown(rows) == "| a\\|b | c_d |\n| --- | --- |\n| 51.50 ± 1.29 % | x\\y^z |");
  CHECK(to_latex(rows) ==
        "\\begin{tabular}{ll}\n\\hline\na\\textbar{}b & c\\_d \\\\\n\\hline\n"
        "51.50 $\\pm$ 1.29 \\% & x\\textbackslash{}y\\textasciicircum{}z \\\\\n"
        "\\hline\n\\end{tabular}");
}

TEST_CASE("LaTeX typesets cells as they are", "[reports]") {
  const auto row = [](const std::string& first, const std::string& second = "") {
    const std::string text = to_latex({{first, second}});
    const std::string before = "\\begin{tabular}{ll}\n\\hline\n";
    return text.substr(before.size(), text.find(" \\\\\n") - before.size());
  };
  CHECK(row("[7]", "[7]") == "{}[7] & [7]");
  CHECK(row("*", "*") == "{}* & *");
  CHECK(row("<0.0001", "a>b|\"c\"~") ==
        "\\textless{}0.0001 & a\\textgreater{}b\\textbar{}''c''\\textasciitilde{}");
  CHECK(row("-0.80", "-") == "$-$0.80 & -");
  CHECK(row("[-15.42, -.5]", "lr=-1 lr=1e-05 a-1") == "{}[$-$15.42, $-$.5] & lr=$-$1 lr=1e-05 a-1");
  CHECK(row("-0.51 ± 0.02", "&%$#_{}") == "$-$0.51 $\\pm$ 0.02 & \\&\\%\\$\\#\\_\\{\\}");
}

}  // namespace
}  // namespace vitrine
