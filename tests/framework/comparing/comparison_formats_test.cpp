#include "framework/comparing/comparison_formats.h"

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

TEST_CASE("CSV has numbers in full and a column for each statistic", "[reports]") {
  const auto all = example_runs();
  CHECK(comparison_csv(compare_sections({&all[1]}, {}), {"model.n_patches"}) ==
        "group,model.n_patches,runs,seeds,test/accuracy,test/accuracy deviation,"
        "test/accuracy low,test/accuracy high,difference,difference low,difference high,p,"
        "verdict,marks\n"
        "small,[7],1,1,0.52,,,,,,,,,");
  auto quoted = all[0];
  quoted.metrics.name = "a,\"b\"";
  const std::string csv = comparison_csv(compare_sections({&quoted}, {}), {"seed"});
  CHECK(csv.substr(csv.find('\n') + 1).starts_with("\"a,\"\"b\"\"\",0,1,1,0.5,,,,"));
}

TEST_CASE("JSON names what p is corrected by", "[reports]") {
  auto runs = example_runs();
  Metrics wider = example_run();
  wider.config["model"]["hidden_d"] = 32;
  for (RunRecord& run : seeds_of(wider, {0.70, 0.71, 0.72, 0.73})) runs.push_back(std::move(run));
  const auto correction = [&](const ComparisonOptions& options) {
    return comparison_json(compare_sections(pointers_to(runs), options)).at("correction");
  };
  CHECK(correction({}) == "holm, all pairs");
  CHECK(correction({"", {Condition("model.hidden_d=8", "--baseline")}}) == "holm");
}

TEST_CASE("JSON has groups, contrasts and every run", "[reports]") {
  const auto runs = example_runs();
  const auto json = comparison_json(compare_sections(pointers_to(runs), {}));
  CHECK(json.at("metric") == "test/accuracy");
  CHECK(json.at("goal") == "max");
  CHECK(json.at("unit") == "fraction");
  CHECK(json.at("keys").dump() == R"(["model.hidden_d"])");
  CHECK(json.at("reference") == "hidden_d=8");
  CHECK(json.at("significance") == 0.05);
  CHECK(json.at("correction").is_null());
  CHECK(json.at("left_out").empty());
  CHECK(json.at("sections").dump() ==
        R"([{"label":null,"metric":"test/accuracy","keys":["model.hidden_d"],)"
        R"("main_keys":["model.hidden_d"],"reference":"hidden_d=8","correction":null}])");
  const auto& wide = json.at("groups").at(1);
  CHECK(wide.at("section").is_null());
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

TEST_CASE("CSV and JSON of several sections name the section of each group", "[reports]") {
  auto runs = example_runs();
  Metrics other = example_run();
  other.dataset["test"] = 10;
  other.config["optimizer"]["lr"] = 0.5;
  runs.push_back(record_of(other, "runs/other"));
  Metrics faster = other;
  faster.config["optimizer"]["lr"] = 1.5;
  runs.push_back(record_of(faster, "runs/faster"));
  const auto sections = compare_sections(pointers_to(runs), {});
  const std::string csv = comparison_csv(sections, {});
  CHECK_THAT(csv, StartsWith("section,group,optimizer.lr,model.hidden_d,runs,seeds,"));
  CHECK_THAT(csv, Contains("\n\"digits, 64 test images\",hidden_d=16,,16,4,3,"));
  CHECK_THAT(csv, Contains("\n\"digits, 10 test images\",lr=1.5,1.5,,1,1,"));
  const auto json = comparison_json(sections);
  CHECK(json.at("keys").dump() == R"(["model.hidden_d"])");  // of the first section
  CHECK(json.at("sections").size() == 2);
  CHECK(json.at("sections")[1].at("keys").dump() == R"(["optimizer.lr"])");
  CHECK(json.at("sections")[1].at("reference") == "lr=0.5");
  CHECK(json.at("groups").size() == 4);
  CHECK(json.at("groups")[3].at("section") == "digits, 10 test images");
}

}  // namespace
}  // namespace vitrine
