#include "framework/reports/report.h"

#include <regex>

#include "framework/files/html.h"
#include "framework/images/decode.h"
#include "framework/images/encode.h"
#include "tests/framework/comparing/support.h"
#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++count;
  return count;
}

std::vector<std::string> matches(const std::string& text, const std::string& pattern) {
  std::vector<std::string> out;
  const std::regex expression(pattern);
  for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at) {
    out.push_back((*at)[1]);
  }
  return out;
}

std::vector<std::string> sections_of(const std::string& page) {
  return matches(page, "<section id=\"([a-z]+)\">");
}

// What is between two marks; the first from `from` on.
std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const size_t at = text.find(begin);
  REQUIRE(at != text.npos);
  const size_t from = at + begin.size();
  return text.substr(from, text.find(end, from) - from);
}

Json data_of(const std::string& page) {
  return Json::parse(between(page, "id=\"data\">", "</script>"));
}

std::string decode_base64(const std::string& text) {
  const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text.substr(0, text.find('='))) {
    bits = bits << 6 | static_cast<uint32_t>(letters.find(c));
    if ((count += 6) < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xff);
  }
  return out;
}

// As a test of two classes writes it, with two images of 2 x 1 pixels.
Json example_test() {
  const auto image = [](int index, double probability, const char* file) {
    return Json{{"index", index},
                {"target", "0"},
                {"predicted", "1"},
                {"probability", probability},
                {"probability_of_target", 1 - probability},
                {"file", file}};
  };
  const auto name = [](const char* name, int images, double recall) {
    return Json{{"name", name},
                {"images", images},
                {"correct", 1},
                {"recall", recall},
                {"precision", nullptr}};
  };
  return {{"format", 2},
          {"chw", {3, 1, 2}},
          {"tasks",
           {{"class",
             {{"classes", {name("0", 3, 0.5), name("1", 4, 1)}},
              {"confusion", {{1, 2}, {0, 4}}},
              {"worst", {image(7, 0.875, "worst/1.png"), image(9, 0.75, "worst/2.png")}}}}}}};
}

// The test.json of a run, and the pictures that it names.
void write_test(const fs::path& run, const Json& test) {
  write_plain(run / "test.json", test.dump());
  fs::create_directory(run / "worst");
  write_plain(run / "worst/1.png", encode_png({2, 1, 3, {1, 3, 5, 2, 4, 6}}));
  write_plain(run / "worst/2.png", encode_png({2, 1, 3, {0, 0, 0, 0, 0, 0}}));
}

// A run in a folder, as report_page takes it.
RunRecord written(const fs::path& folder, Metrics metrics = example_run()) {
  write_run(folder, metrics);
  write_plain(folder / "config.yaml", "name: small\nmodel: <x>\n");
  return read_run(folder);
}

// Without what tells a browser where it may break a text.
std::string unbroken(const std::string& html) {
  return std::regex_replace(html, std::regex("<wbr>|<span class=\"name\">([^<]*)</span>"), "$1");
}

TEST_CASE("a page holds all that it needs, and allows nothing else") {
  const TemporaryFolder folder;
  const std::string page = report_page({written(folder / "a")}, {});
  const std::string policy = between(page, "Content-Security-Policy\" content=\"", "\">");
  std::string expected = "default-src 'none'; img-src data:; style-src '" +
                         content_hash(between(page, "<style>", "</style>")) + "'; script-src";
  const auto scripts = page.substr(page.find("</main>"));
  size_t at = 0;
  for (int i = 0; i < 2; ++i) {
    at = scripts.find("<script>", at) + 8;
    expected += " '" + content_hash(scripts.substr(at, scripts.find("</script>", at) - at)) + "'";
  }
  CHECK(policy == expected + "; base-uri 'none'; form-action 'none'");
  CHECK(count_of(page, "<script") == 3);
  CHECK(count_of(page, "</script") == 3);
  CHECK(matches(page, "(<(link|iframe|object|embed|base|form)[ >])").empty());
  CHECK(count_of(page, "sourceMappingURL") == 0);
  CHECK(matches(between(page, "<style>", "</style>"), "(@import|url\\()").empty());
  for (const std::string& source :
       matches(page.substr(0, page.find("<script")), "src=\"([^\"]*)")) {
    CHECK_THAT(source, StartsWith("data:"));
  }
}

TEST_CASE("strings of a run are text, whatever they hold") {
  const TemporaryFolder folder;
  const std::string evil = "</script><script>alert('1')</script><!-- \xe2\x80\xa8 & \"";
  Metrics metrics = example_run();
  metrics.name = metrics.note = evil;
  metrics.command = {evil};
  metrics.config["model"]["mlp"]["type"] = evil;
  metrics.config["model"][evil] = 1;
  metrics.summary[evil] = 1;
  metrics.history[0][evil] = 2;
  metrics.environment["cpu"] = evil;
  Json test = example_test();
  test["tasks"]["class"]["classes"][0]["name"] = evil;
  test["tasks"]["class"]["worst"][0]["target"] = evil;
  test["tasks"][evil] = test["tasks"]["class"];
  const RunRecord run = written(folder / "a", metrics);
  write_test(folder / "a", test);
  write_plain(folder / "a/config.yaml", "name: " + evil);
  write_plain(folder / "a/<b onclick=1>.png", "no PNG");
  const std::string page = report_page({run, record_of(example_run(), "runs/b")}, {});
  CHECK(count_of(page, "<script") == 3);
  CHECK(count_of(page, "</script") == 3);
  CHECK(count_of(page, "<!--") == 0);
  CHECK(count_of(page.substr(0, page.find("<script")), "alert('1')") == 0);
  CHECK(count_of(page, "<b onclick") == 0);
  CHECK(count_of(page, "\xe2\x80\xa8") == 0);
  const std::string text =
      "&lt;/script&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&lt;!-- \\u2028 &amp; &quot;";
  CHECK(count_of(page, text) > 10);
  // In the data the string is what it was.
  const Json data = data_of(page);
  bool found = false;
  for (const Json& column : data.at("columns")) found |= column.at("name") == evil;
  CHECK(found);
  // Vega's fields and expressions know columns by their number.
  for (const auto& [name, chart] : data.at("charts").items()) {
    const std::regex expression("\"(expr|field|update|events)\":\"[^\"]*alert");
    CHECK_FALSE(std::regex_search(chart.dump(), expression));
  }
}

TEST_CASE("one run: its results, and no section that has nothing to show") {
  const TemporaryFolder folder;
  const std::string page = report_page({written(folder / "a")}, {});
  CHECK(sections_of(page) == std::vector<std::string>{"results", "curves", "details", "shared"});
  CHECK(data_of(page).at("charts").size() == 1);
  CHECK_THAT(page, Contains("<title>small · Vitrine</title>"));
  CHECK_THAT(page, Contains("<dt>test/<wbr>accuracy</dt><dd>50.00 %</dd>"));
  CHECK_THAT(page, Contains("<p>a: finished</p>"));
  CHECK_THAT(page, Contains("<pre>runner config.yaml</pre>"));
  CHECK_THAT(page, Contains("It was started as <code>runner small.yaml</code>"));
  CHECK_THAT(page, Contains("<pre>name: small\nmodel: &lt;x&gt;\n</pre>"));
  CHECK_THAT(page, Contains("<th scope=\"row\">cpu</th><td>x</td>"));
}

TEST_CASE("runs over sizes and seeds have all sections") {
  std::vector<RunRecord> runs;
  for (const int size : {8, 16}) {
    for (int seed = 0; seed < 3; ++seed) {
      Metrics metrics = example_run(seed, 0.5 + size / 100.0 + seed / 1000.0);
      metrics.config["model"]["hidden_d"] = size;
      metrics.config_sha256 = std::string(64, size == 8 ? 'a' : 'b');
      metrics.model["parameters"] = 100 * size;
      metrics.summary["validation/accuracy"] = 0.4 + seed / 1000.0;
      metrics.metrics["validation/accuracy"] = {"max", "fraction"};
      runs.push_back(record_of(metrics, "runs/" + std::to_string(size) + std::to_string(seed)));
    }
  }
  const std::string page = report_page(runs, {});
  CHECK(sections_of(page) == std::vector<std::string>{"runs", "comparison", "curves", "effects",
                                                      "parallel", "costs", "details", "shared"});
  CHECK_THAT(page, Contains("<p>6 runs: 6 finished. Best by validation/accuracy: hidden_d=8 with "
                            "40.10 %, the mean of 3 seeds</p>"));
  CHECK_THAT(page, Contains("hidden_d=16 +8.00 points"));
  CHECK(count_of(page, "<details class=\"run\"") == 6);
  CHECK(count_of(page, "<details class=\"run\" open") == 1);
  const Json data = data_of(page);
  std::vector<std::string> charts;
  for (const auto& [name, chart] : data.at("charts").items()) charts.push_back(name);
  CHECK(charts == std::vector<std::string>{"curves", "effect-c3", "parallel", "cost-c9"});
  CHECK(data.at("runs").size() == 6);
}

TEST_CASE("a comparison's verdicts and marks come right after its groups") {
  Metrics narrow = example_run();
  narrow.dataset["test_sha256"] = std::string(64, 'f');
  narrow.model["tasks"] = Json::array({{{"name", "class"}}});
  std::vector<RunRecord> runs = seeds_of(narrow, {0.5, 0.51, 0.52});
  Metrics wide = narrow;
  wide.name = "wide";
  wide.config["model"]["hidden_d"] = 16;
  wide.dataset["sha256"] = std::string(64, 'e');
  for (RunRecord& run : seeds_of(wide, {0.7, 0.71, 0.72})) runs.push_back(run);
  const auto headings_of = [](const std::vector<RunRecord>& runs) {
    const std::string page = report_page(runs, {});
    std::vector<std::string> out =
        matches(unbroken(between(page, "<section id=\"comparison\">", "</thead>")),
                "<th[^>]*>([^<]*)</th>");
    out.resize(7);
    return out;
  };
  CHECK(headings_of(runs) == std::vector<std::string>{"group", "verdict", "difference",
                                                      "95 % of it", "marks", "model.hidden_d",
                                                      "dataset.sha256"});
  for (RunRecord& run : runs) run.metrics.name = "";
  CHECK(headings_of(runs) == std::vector<std::string>{"model.hidden_d", "dataset.sha256", "verdict",
                                                      "difference", "95 % of it", "marks",
                                                      "seeds"});
}

TEST_CASE("the best is among those that finished, and a page without names has a title") {
  std::vector<RunRecord> runs = seeds_of(example_run(), {0.5, 0.6, 0.7});
  for (RunRecord& run : runs) {
    run.metrics.summary["validation/accuracy"] = run.metrics.summary.at("test/accuracy");
    run.metrics.metrics["validation/accuracy"] = {"max", "fraction"};
    run.metrics.name = "";
  }
  runs[2].status = "interrupted";
  const std::string page = report_page(runs, {});
  CHECK_THAT(
      page,
      Contains("<p>3 runs: 2 finished, 1 interrupted. validation/accuracy 55.00 %, the mean of "
               "2 seeds</p>"));
  runs[1].status = "running";
  CHECK_THAT(report_page(runs, {}),
             Contains("<p>3 runs: 1 finished, 1 interrupted, 1 running. Best by "
                      "validation/accuracy: 0 with 50.00 %</p>"));
  CHECK_THAT(page, Contains("<h1>Runs</h1>"));
}

TEST_CASE("runs are coloured by name where there are several, but not by their threads") {
  const auto coloured_by = [](const std::vector<RunRecord>& runs) {
    const auto found =
        matches(between(report_page(runs, {}), "<select id=\"colour\">", "</select>"),
                " selected>([^<]*)<");
    return found.empty() ? "" : found[0];
  };
  std::vector<RunRecord> runs = seeds_of(example_run(), {0.5, 0.6});
  runs[1].metrics.execution["threads"]["value"] = 2;
  CHECK(coloured_by(runs) == "");
  CHECK(count_of(report_page(runs, {}), "data-chart=\"effect-") == 0);
  runs[1].config["model.hidden_d"] = 16;
  CHECK(coloured_by(runs) == "model.hidden_d");
  runs[1].metrics.name = "wide";
  CHECK(coloured_by(runs) == "name");
}

TEST_CASE("without validation no run is called the best") {
  const std::vector<RunRecord> runs = seeds_of(example_run(), {0.5, 0.6});
  CHECK_THAT(report_page(runs, {}), Contains("<p>2 runs: 2 finished</p>"));
}

TEST_CASE("of many runs the best have a section of their own") {
  std::vector<double> accuracies;
  for (int i = 0; i < 40; ++i) accuracies.push_back(0.5 + (i * 7 % 40) / 1000.0);
  const std::string page = report_page(seeds_of(example_run(), accuracies), {});
  CHECK_THAT(page, Contains("The 12 best of 40 runs by test/accuracy"));
  const auto shown = matches(page, "<details class=\"run\"[^>]*><summary><b>([^<]*)</b>");
  REQUIRE(shown.size() == 12);
  CHECK(shown[0] == "17");  // 17 * 7 % 40 is 39
  CHECK(shown[11] == "4");  // and this is 28
  CHECK(count_of(page, "<tr data-run=") == 40);
}

TEST_CASE("the test's results: confusion, classes and the worst images") {
  const TemporaryFolder folder;
  const RunRecord run = written(folder / "a");
  write_test(folder / "a", example_test());
  const std::string page = report_page({run}, {});
  const Json charts = data_of(page).at("charts");
  CHECK(charts.at("confusion-0-0").at("data")[0].at("values") ==
        Json::parse(R"([{"is": 0, "said": 0, "count": 1, "share": 0.3333333333333333},
                        {"is": 0, "said": 1, "count": 2, "share": 0.6666666666666666},
                        {"is": 1, "said": 0, "count": 0, "share": 0.0},
                        {"is": 1, "said": 1, "count": 4, "share": 1.0}])"));
  const Json& axes = charts.at("confusion-0-0").at("axes");
  CHECK(axes[0].at("title") == "predicted class");
  CHECK(axes[1].at("title") == "true class");
  const std::string confusion = charts.at("confusion-0-0").dump();
  CHECK_THAT(confusion, Contains("\"number of images; colour: their share of the class\""));
  CHECK_THAT(confusion,
             Contains("{\"at\":1,\"align\":\"right\",\"text\":\"100 %\",\"right\":true}"));
  CHECK(charts.at("classes-0-0").at("data")[0].at("values") ==
        Json::parse(R"([{"class": 0, "measure": "recall", "value": 0.5},
                        {"class": 1, "measure": "recall", "value": 1}])"));
  CHECK_THAT(page, Contains("title=\"test image 7: 1 with 87.5 %, 0 with 12.5 %\""));
  CHECK_THAT(page, Contains("<figcaption>0 → <b>1</b> 88 %</figcaption>"));
  const auto images = matches(page, "src=\"data:image/png;base64,([^\"]*)\"");
  REQUIRE(images.size() == 2);
  const Image image = decode_image(decode_base64(images[0]), "image");
  CHECK(image.width == 2);
  CHECK(image.height == 1);
  CHECK(image.pixels == std::vector<uint8_t>{1, 3, 5, 2, 4, 6});  // red, green, blue of each pixel
}

TEST_CASE("of large images fewer are shown, which is told") {
  const TemporaryFolder folder;
  const RunRecord run = written(folder / "a");
  Json test = example_test();
  test["chw"] = {1, 1000, 600};
  write_test(folder / "a", test);
  const std::string page = report_page({run}, {});
  CHECK_THAT(page, Contains("how sure it was. The 1 worst of 2.</p>"));
  CHECK(count_of(page, "<figure ") == 1);
}

TEST_CASE("of many classes the pairs that are confused most are listed, and those found least") {
  const TemporaryFolder folder;
  const RunRecord run = written(folder / "a");
  Json test = example_test();
  Json& task = test["tasks"]["class"];
  task.erase("confusion");
  const Json row = task["classes"][0];
  task["classes"] = Json::array();
  for (int i = 0; i < 3000; ++i) {
    task["classes"].push_back(row);
    task["classes"].back()["name"] = "c" + std::to_string(i);
    task["classes"].back()["recall"] = i % 2 == 0 ? Json() : Json(1.0 - i / 4000.0);
  }
  task["confused"] = {
      {"what", "x"}, {"distinct", 2345}, {"images", 34567}, {"pairs", Json::array()}};
  for (int i = 0; i < 1000; ++i)
    task["confused"]["pairs"].push_back(
        {{"target", "a<"}, {"predicted", "b"}, {"images", 2000 - i}});
  write_test(folder / "a", test);
  const std::string page = report_page({run}, {});
  CHECK_THAT(page, Contains("34,567 images were taken for another class, 2,345 pairs of classes "
                            "were confused. The 30 most frequent:</p>"));
  CHECK(count_of(page, "data-name=\"is\"") == 30);
  CHECK_THAT(page, Contains(">a&lt;</th><td data-name=\"was taken for\">b</td><td class=\"number\" "
                            "data-name=\"images\">2,000</td>"));
  CHECK_THAT(page, Contains("The 40 of 3,000 classes that are found least."));
  const Json charts = data_of(page).at("charts");
  CHECK_FALSE(charts.contains("confusion-0-0"));
  CHECK(charts.at("classes-0-0").at("data")[0].at("values").size() == 40);
  CHECK(charts.at("classes-0-0").dump().find("c2999") != std::string::npos);
}

TEST_CASE("what cannot be read is told in the page") {
  const TemporaryFolder folder;
  const RunRecord run = written(folder / "a");
  const std::string test = (folder / "a/test.json").string();
  write_plain(test, "{\"tasks\": {\"class\": {}}");
  CHECK_THAT(report_page({run}, {}), Contains("<p class=\"problem\">" + test + ": "));
  write_plain(test, "{\"chw\": 1, \"tasks\": {\"class\": {\"classes\": []}}}");
  CHECK_THAT(report_page({run}, {}),
             Contains("<p class=\"problem\">" + test + ": is not what a test writes</p>"));
  Json wrong = example_test();
  write_test(folder / "a", wrong);
  fs::remove(folder / "a/worst/2.png");
  // What the test told besides is shown all the same.
  CHECK_THAT(report_page({run}, {}),
             Contains("<p class=\"problem\">cannot read " + (folder / "a/worst/2.png").string() +
                      ": No such file or directory</p>") &&
                 Contains("data-chart=\"confusion-0-0\""));
  write_plain(folder / "a/worst/2.png", "");
  CHECK_THAT(report_page({run}, {}),
             Contains((folder / "a/worst/2.png").string() +
                      ": is no whole PNG; a power cut may have cut it off"));
  for (const char* file : {"worst/../config.yaml", "config.yaml", "worst/", "worst/.x", "/1.png"}) {
    wrong["tasks"]["class"]["worst"][0]["file"] = file;
    write_plain(test, wrong.dump());
    CHECK_THAT(report_page({run}, {}),
               Contains(file + std::string(": expected a picture in worst/</p>")));
  }
  fs::remove(folder / "a/config.yaml");
  CHECK_THAT(report_page({run}, {}), Contains("a/config.yaml: No such file or directory</p>"));
}

TEST_CASE("runs that did not finish are listed with their last words") {
  const TemporaryFolder folder;
  Metrics metrics = example_run();
  metrics.status = RunStatus::kDiverged;
  const RunRecord diverged = written(folder / "a", metrics);
  write_plain(folder / "a/log.txt",
              "2026-11-22T10:15:00Z hello\n2026-11-22T10:15:01Z loss is <nan>\n");
  write_plain(folder / "b/metrics.json", "");
  fs::create_directory(folder / "b");
  write_plain(folder / "b/metrics.json", "{");
  const std::string page =
      report_page({diverged, read_run(folder / "b"), written(folder / "c")}, {});
  const std::string section = unbroken(between(page, "<section id=\"unfinished\">", "</section>"));
  CHECK_THAT(section, Contains("<li>a: diverged: loss is &lt;nan&gt;</li>"));
  CHECK_THAT(section, Contains("<li>b: unreadable: " + (folder / "b/metrics.json").string()));
  CHECK(count_of(section, "<li>") == 2);
}

TEST_CASE("pictures in a run's folder and among its plots are embedded") {
  const TemporaryFolder folder;
  const RunRecord run = written(folder / "runs/a");
  fs::create_directory(folder / "runs/a/plots");
  write_plain(folder / "runs/a/x.png", "abc");
  write_plain(folder / "runs/a/plots/y.svg", "<svg onload=\"alert(1)\"/>");
  write_plain(folder / "runs/a/plots/large.png", std::string((2 << 20) + 1, 'x'));
  write_plain(folder / "runs/a/z.txt", "abc");
  fs::create_directory(folder / "runs/plots");
  write_plain(folder / "runs/plots/curves.png", "d");
  const std::string page = report_page({run}, {(folder / "runs").string()});
  CHECK_THAT(page, Contains("<img alt=\"x.png\" src=\"data:image/png;base64,YWJj\">"));
  CHECK_THAT(page, Contains("<img alt=\"y.svg\" src=\"data:image/svg+xml;base64,"));
  CHECK_THAT(page, Contains("<section id=\"pictures\"><h2>Pictures</h2>\n<div "
                            "class=\"pictures\"><figure><img alt=\"curves.png\" "
                            "src=\"data:image/png;base64,ZA==\">"));
  CHECK_THAT(page, Contains("plots/large.png: "));
  CHECK(count_of(page, "<img ") == 3);
}

TEST_CASE("a sweep's trial is run again by its config, not resumed") {
  Metrics metrics = example_run();
  metrics.command = {"s/build/runner", "resume", "s/trials/1", "--stop-after", "3"};
  const std::string page = report_page({record_of(metrics, "s/trials/1")}, {});
  const std::string again = between(page, "<h3>To run it again</h3>", "</details>");
  CHECK(matches(again, "<pre>([^<]*)</pre>") == std::vector<std::string>{"runner config.yaml"});
  CHECK_THAT(again, Contains("started as <code>s/build/runner resume s/trials/1 --stop-after 3<"));
}

TEST_CASE("the command that started it can be pasted into a shell") {
  Metrics metrics = example_run();
  metrics.command = {"./runner", "a b.yaml", "model.tasks=[{name: it's}]", ""};
  const std::string page = report_page({record_of(metrics)}, {});
  CHECK_THAT(page, Contains("<code>./runner &#39;a b.yaml&#39; &#39;model.tasks=[{name: "
                            "it&#39;\\&#39;&#39;s}]&#39; &#39;&#39;</code>"));
}

}  // namespace
}  // namespace vitrine
