#include <algorithm>

#include "framework/files/file.h"
#include "framework/files/html.h"
#include "framework/runs/metrics.h"
#include "tests/framework/cli/support.h"
#include "tests/framework/comparing/support.h"
#include "tests/skip.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kConfig = R"(name: small
threads: 1
dataset: {type: digits, train: 128, test: 64, validation: 32}
model: {type: vit, n_patches: 4, n_blocks: 1, hidden_d: 8, n_heads: 2}
training: {epochs: 3, batch_size: 16}
)";

// What browsers of one family are called; empty, which skips the test, where there is none.
std::string browser() {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
      if (fs::exists(fs::path(folder) / name)) return fs::path(folder) / name;
    }
  }
  skip("the tests of reports in a browser: there is no chromium");
  return "";
}

std::string bytes_of(const fs::path& file) { return read_file(file, uint64_t{1} << 30); }

void replace(std::string& text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  REQUIRE(at != text.npos);
  text.replace(at, from.size(), to);
}

// The page once its scripts have run.
std::string shown(const std::string& browser, const fs::path& file, const fs::path& folder,
                  const std::string& width = "1200") {
  const Result result =
      Process(
          {browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
           "--no-first-run", "--disable-background-networking",
           "--user-data-dir=" + (folder / "profile").string(), "--window-size=" + width + ",12000",
           "--virtual-time-budget=60000", "--dump-dom", "file://" + file.string()},
          folder, isolated(folder))
          .wait();
  INFO(result.err);
  CHECK(result.out != "");
  return result.out;
}

// What report_page.js saw on the page, which may run that script besides its own.
Json used(const std::string& browser, const fs::path& file, const fs::path& folder,
          const std::string& width = "1200") {
  const std::string script = bytes_of(VITRINE_SOURCE_DIR "/tests/framework/cli/report_page.js");
  std::string page = bytes_of(file);
  replace(page, "script-src ", "script-src '" + content_hash(script) + "' ");
  replace(page, "<title>", "<script>" + script + "</script><title>");
  write_plain(folder / "used.html", page);
  const std::string out = shown(browser, folder / "used.html", folder, width);
  const std::string begin = "<pre id=\"result\">";
  const size_t at = out.find(begin);
  REQUIRE(at != std::string::npos);
  const size_t from = at + begin.size();
  return Json::parse(out.substr(from, out.find("</pre>", from) - from));
}

// Four runs of two sizes and two seeds.
void train(const fs::path& folder) {
  write_plain(folder / "small.yaml", kConfig);
  for (const std::string size : {"8", "16"}) {
    for (const std::string seed : {"0", "1"}) {
      const Result result = runner({"small.yaml", "model.hidden_d=" + size, "seed=" + seed,
                                    "--run-dir", "runs/" + size + "-" + seed},
                                   folder);
      INFO(result.err);
      REQUIRE(result.code == 0);
    }
  }
}

// Numbers of the runs by their loss in the test, smallest first.
std::vector<int> best_first(const std::vector<fs::path>& runs) {
  std::vector<std::pair<double, int>> order;
  for (size_t i = 0; i < runs.size(); ++i) {
    const auto metrics = Metrics::read(runs[i] / "metrics.json");
    order.emplace_back(metrics.summary.at("test/loss").get<double>(), i);
  }
  std::sort(order.begin(), order.end());
  std::vector<int> out;
  for (const auto& [value, run] : order) out.push_back(run);
  return out;
}

TEST_CASE("A report works in a browser, and asks for nothing from elsewhere") {
  const std::string program = browser();
  if (program.empty()) return;
  const TemporaryFolder folder;
  train(folder.path());
  // Names as an enemy would choose them.
  const fs::path first = folder / "runs/16-0";
  Metrics metrics = Metrics::read(first / "metrics.json");
  metrics.name = "<script>alert(1)</script>";
  metrics.note = "<img src=x onerror=alert(1)>";
  metrics.command.push_back("</script><script>alert(1)</script>");
  metrics.write(first / "metrics.json");
  fs::rename(folder / "runs/8-1", folder / "runs/\"><img src=x onerror='alert(1)'>");

  // Killed before it had any metric.
  fs::create_directory(folder / "runs/9");
  fs::copy_file(folder / "runs/8-0/config.yaml", folder / "runs/9/config.yaml");

  const Result report = runner({"report", "runs", "-o", "report.html"}, folder.path());
  CHECK(report.err == "");
  CHECK(report.out == "wrote report.html: 5 runs\n");
  REQUIRE(report.code == 0);
  const Json seen = used(program, folder / "report.html", folder.path());
  INFO(seen.dump(2));
  CHECK(seen.at("problems") == Json::array());
  CHECK(seen.at("resources") == 0);
  CHECK(seen.at("scripts") == 4);  // the data, Vega, the page's own and this test's
  CHECK(seen.at("sections") == Json({"runs", "unfinished", "comparison", "curves", "effects",
                                     "parallel", "costs", "details", "shared"}));
  CHECK(seen.at("charts").size() ==
        13);  // curves, effect, parallel, 2 costs, 2 for each tested run
  for (const auto& [name, paths] : seen.at("charts").items()) {
    INFO(name);
    CHECK(paths > 10);
  }
  CHECK(seen.at("images") == 4 * 64);
  CHECK(seen.at("dots") == 4);

  // By path: "><img, 16-0, 16-1, 8-0, and 9, which has no loss and stays last.
  std::vector<int> order =
      best_first({folder / "runs/\"><img src=x onerror='alert(1)'>", folder / "runs/16-0",
                  folder / "runs/16-1", folder / "runs/8-0"});
  CHECK(seen.at("sorted") == "ascending");
  order.push_back(4);
  CHECK(seen.at("best_first") == Json(order));
  std::reverse(order.begin(), order.end() - 1);
  CHECK(seen.at("worst_first") == Json(order));
  CHECK(seen.at("filtered_count") == "2 of 5 runs");
  CHECK(seen.at("filtered_dots") == 2);
  std::vector<int> filtered = seen.at("filtered");
  std::sort(filtered.begin(), filtered.end());
  CHECK(filtered == std::vector<int>{1, 2});
  CHECK(seen.at("named_small").size() == 4);  // all but the enemy's
  CHECK(seen.at("filter_problem") == "no column is called “no_such”");
  const auto count = [&](const char* filter) {
    return seen.at("filters").at(filter).at("count").get<std::string>();
  };
  CHECK(count("hidden_d = 8, 16") == "5 runs");
  CHECK(count("hidden_d!=8,16") == "no run matches");
  for (const char* filter : {"test/accuracy > 0.02", "test/accuracy>2", "test/accuracy > 2 %"}) {
    CHECK(count(filter) == "4 of 5 runs");
  }
  CHECK(count("test/accuracy < 101 hidden_d=16") == "2 of 5 runs");
  CHECK(count("hidden_d=9") == "no run matches");
  CHECK(count("interrupted") == "1 of 5 runs");  // which has no metric: all charts are empty
  CHECK(seen.at("filters").at("loss>0").at("problem") ==
        "“loss” may be validation/loss or test/loss or train/loss");
  CHECK(seen.at("hovered_lines") == 1);

  std::vector<int> brushed = seen.at("brushed");
  std::sort(brushed.begin(), brushed.end());
  CHECK(brushed == std::vector<int>{1, 2});  // hidden_d 16, which is above 8
  CHECK(seen.at("brushed_dots") == 2);
  CHECK(seen.at("brushed_and_filtered") == Json({1}));
  std::vector<int> again = seen.at("brushed_again");
  std::sort(again.begin(), again.end());
  CHECK(again == brushed);
  CHECK(seen.at("unbrushed").size() == 5);
  CHECK(seen.at("axis_titles") == Json({"model.hidden_d", "test/loss"}));
}

TEST_CASE("A report of one run works in a browser; what would leave the page is seen by the test") {
  const std::string program = browser();
  if (program.empty()) return;
  const TemporaryFolder folder;
  train(folder.path());
  REQUIRE(runner({"report", "runs/8-0"}, folder.path()).code == 0);
  const Json seen = used(program, folder / "report.html", folder.path());
  INFO(seen.dump(2));
  CHECK(seen.at("problems") == Json::array());
  CHECK(seen.at("sections") == Json({"results", "curves", "details", "shared"}));
  CHECK(seen.at("charts").size() == 3);

  std::string page = bytes_of(folder / "report.html");
  replace(page, "<main>", "<main><img src=\"https://localhost:9/a.png\"><script>alert(1)</script>");
  write_plain(folder / "bad.html", page);
  const Json bad = used(program, folder / "bad.html", folder.path());
  CHECK(bad.at("problems") == Json({"blocked: https://localhost:9/a.png", "blocked: inline"}));
}

// example_run() with so many epochs.
Metrics run_of(int64_t epochs, int64_t seed) {
  Metrics out = example_run(seed);
  for (int64_t epoch = 2; epoch <= epochs; ++epoch) {
    out.add_epoch({{"epoch", epoch}, {"step", 6 * epoch}, {"train/loss", 2.0}, {"seconds", 0.5}});
  }
  return out;
}

TEST_CASE("A report draws curves of one epoch as points") {
  const std::string program = browser();
  if (program.empty()) return;
  const TemporaryFolder folder;
  write_run(folder / "runs/0", run_of(1, 0));
  write_run(folder / "runs/1", run_of(1, 1));
  write_run(folder / "runs/2", run_of(3, 2));
  REQUIRE(runner({"report", "runs"}, folder.path()).code == 0);
  const Json seen = used(program, folder / "report.html", folder.path());
  INFO(seen.dump(2));
  CHECK(seen.at("problems") == Json::array());
  CHECK(seen.at("lone_points") == 2);
}

TEST_CASE("Means in a report are of all runs of a colour, and of what has finished") {
  const std::string program = browser();
  if (program.empty()) return;
  const TemporaryFolder folder;
  write_run(folder / "runs/0", run_of(2, 0));
  write_run(folder / "runs/1", run_of(4, 1));
  Metrics stopped = run_of(3, 0);
  stopped.status = RunStatus::kStopped;
  stopped.config["model"]["hidden_d"] = 16;
  write_run(folder / "runs/2", stopped);
  REQUIRE(runner({"report", "runs"}, folder.path()).code == 0);
  const Json seen = used(program, folder / "report.html", folder.path());
  INFO(seen.dump(2));
  CHECK(seen.at("problems") == Json::array());
  CHECK(seen.at("mean_lengths") == Json({2}));  // epochs, of two runs that are coloured alike
  CHECK(seen.at("dots") == 3);
  CHECK(seen.at("means") == 1);  // none where hidden_d is 16
}

// Runs of two data sets, the first with many differing keys; names as long as people make them.
void write_various(const fs::path& folder) {
  for (int i = 0; i < 8; ++i) {
    Metrics metrics = run_of(3, i % 2);
    metrics.name = i < 4 ? "a_first_experiment_of_many_words" : "b";
    metrics.dataset["type"] = i < 6 ? "digits" : "mnist";
    metrics.dataset["test_sha256"] = std::string(64, i < 6 ? '1' : '2');
    metrics.model["tasks"] = Json::array({{{"name", "class"}}});
    metrics.model["parameters"] = 1000 * (i / 2 + 1);
    metrics.config["model"]["hidden_d"] = 8 * (i / 2 + 1);
    for (int key = 0; key < 6 && i < 6; ++key)
      metrics.config["model"]["option_number_" + std::to_string(key)] =
          i / 2 == key % 3 ? "yes" : "no";
    if (i < 6) metrics.summary["validation/accuracy"] = 0.4 + i / 100.0;
    metrics.metrics["validation/accuracy"] = {"max", "fraction"};
    write_run(folder / ("runs/2026-11-22/a-folder-with-a-long-name/" + std::to_string(i)), metrics);
  }
}

TEST_CASE(
    "A report of everything is readable: sections, few columns, no colours needed, no width") {
  const std::string program = browser();
  if (program.empty()) return;
  const TemporaryFolder folder;
  write_various(folder.path());
  REQUIRE(runner({"report", "runs"}, folder.path()).code == 0);
  const Json seen = used(program, folder / "report.html", folder.path());
  INFO(seen.dump(2));
  CHECK(seen.at("problems") == Json::array());
  const Json& parts = seen.at("parts");
  REQUIRE(parts.size() == 3);
  CHECK(parts[0].at("label") == "digits 6 runs");
  CHECK(parts[0].at("runs") == Json({0, 1, 2, 3, 4, 5}));
  CHECK(parts[0].at("count") == "6 runs");
  CHECK(parts[0].at("metric") == "validation/accuracy");
  CHECK(parts[0].at("columns") ==
        Json({"run", "status", "name", "seed", "model.hidden_d", "model.option_number_0",
              "model.option_number_1", "model.option_number_2", "validation/accuracy",
              "test/accuracy", "test/loss"}));
  CHECK(parts[0].at("charts") == 7);  // curves, 4 effects, parallel, a cost; more are folded
  CHECK(parts[0].at("folded") ==
        "3 more that differ: model.option_number_3, "
        "model.option_number_4, model.option_number_5");
  CHECK(parts[1].at("label") == "mnist 2 runs");
  CHECK(parts[1].at("runs") == Json({6, 7}));
  CHECK(parts[1].at("metric") == "test/accuracy");  // of validation there is none
  CHECK(parts[1].at("metrics").dump().find("validation") == std::string::npos);
  CHECK(parts[1].at("sections") == Json({"runs", "comparison", "curves", "details", "shared"}));
  CHECK(parts[2].at("label") == "all 8 runs");
  CHECK(parts[2].at("runs").size() == 8);
  CHECK(parts[2].at("columns").dump().find("section") != std::string::npos);
  CHECK(parts[2].at("sections") == Json({"runs", "curves", "shared"}));
  CHECK(seen.at("chosen_columns").at("before") == 11);
  CHECK(seen.at("chosen_columns").at("after") == 12);
  // What is left without colours.
  CHECK(seen.at("legend").size() == 3);
  for (const char* marks : {"legend_dashes", "legend_shapes", "curve_dashes", "dot_shapes"})
    CHECK(seen.at(marks) == 3);
  // On a telephone too nothing scrolls sideways, and no name is cut.
  const Json narrow = used(program, folder / "report.html", folder.path(), "400");
  INFO(narrow.dump(2));
  CHECK(narrow.at("problems") == Json::array());
  for (const Json* page : {&seen, &narrow}) {
    CHECK(page->at("too_wide") == Json::array());
    CHECK(page->at("cut") == Json::array());
  }
}

TEST_CASE("The charts of a page about data are drawn") {
  const std::string program = browser();
  if (program.empty()) return;
  const TemporaryFolder folder;
  write_plain(folder / "small.yaml", kConfig);
  const Result result = runner({"data", "small.yaml", "-o", "page.html"}, folder.path());
  INFO(result.err);
  REQUIRE(result.code == 0);
  const std::string out = shown(program, folder / "page.html", folder.path());
  size_t charts = 0;
  for (size_t at = 0; (at = out.find("drawn\"", at)) != out.npos; ++at) ++charts;
  CHECK(charts == 3);  // of the training, validation and test images
}

}  // namespace
}  // namespace vitrine
