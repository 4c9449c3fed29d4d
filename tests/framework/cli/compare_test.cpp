#include <algorithm>

#include "framework/files/json.h"
#include "tests/framework/cli/support.h"
#include "tests/framework/comparing/support.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

Metrics variant(const std::string& name, int64_t hidden_d) {
  Metrics metrics = example_run();
  metrics.name = name;
  metrics.config["name"] = name;
  metrics.config["model"]["hidden_d"] = hidden_d;
  metrics.model["parameters"] = 100 * hidden_d;
  return metrics;
}

// A folder with the runs of two experiments, four seeds each, in base/ and mine/.
class Folder : public TemporaryFolder {
 public:
  Folder() {
    add("base", variant("base", 8), {0.50, 0.52, 0.51, 0.53});
    add("mine", variant("mine", 16), {0.60, 0.63, 0.61, 0.64});
  }
  void add(const std::string& folder, const Metrics& example,
           const std::vector<double>& accuracies) const {
    for (const RunRecord& run : seeds_of(example, accuracies)) {
      write_run(*this / folder / std::to_string(run.metrics.seed), run.metrics);
    }
  }
  Result compare(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "compare");
    return runner(arguments, path());
  }
  std::string refusal(const std::vector<std::string>& arguments, int code = 2) const {
    const Result result = compare(arguments);
    CHECK(result.code == code);
    CHECK(result.out == "");
    return result.err;
  }
};

TEST_CASE("compare tells the difference, the verdict and what differs") {
  const Folder folder;
  const Result result = folder.compare({"base", "mine"});
  CHECK(result.code == 0);
  CHECK(result.err == "");
  CHECK(result.out == R"(mine +10.50 points, 95 % [9.58, 11.42], 4 paired seeds
test/accuracy: mine is better than base (paired t test, p < 0.0001)

group                  base             mine
model.hidden_d         8                16
seeds                  4                4
test/accuracy          51.50 ± 1.29 %   62.00 ± 1.83 %
95 %                   [49.45, 53.55]   [59.09, 64.91]
difference                              +10.50
95 % of it                              [9.58, 11.42]
p                                       <0.0001
verdict                                 better
test/loss              0.4850 ± 0.0129  0.3800 ± 0.0183
train/loss             2.2500 ± 0.0000  2.2500 ± 0.0000
model.parameters       800              1600
model.flops_per_image  5000             5000
)");
  CHECK(folder.compare({"."}).out == result.out);
  CHECK_THAT(folder.compare({"mine", "base"}).out, StartsWith("base -10.50 points, 95 % [-11.42"));
  CHECK_THAT(folder.compare({"base", "mine", "--metric", "test/loss"}).out,
             StartsWith("mine -0.1050 nats, 95 % [-0.1142, -0.0958], 4 paired seeds\n"
                        "test/loss: mine is better than base (paired t test, p < 0.0001)\n"));
}

TEST_CASE("compare shows many groups below each other, best first") {
  const Folder folder;
  folder.add("c", variant("c", 32), {0.5});
  folder.add("d", variant("d", 64), {0.64, 0.67, 0.65, 0.68});
  CHECK(folder.compare({"."}).out ==
        R"(d: test/accuracy 66.00 %, 95 % [63.09, 68.91], standard deviation 1.83, 4 seeds
the 3 others against it: 2 worse, 1 too few seeds (t tests at 5 %, Holm-corrected for all pairs)

group  model.hidden_d  seeds  test/accuracy             95 %  difference  95 % of it        corrected p  verdict        test/loss        model.parameters  seconds
d                  64      4  66.00 ± 1.83 %  [63.09, 68.91]                                             reference      0.3400 ± 0.0183              6400      0.5
mine               16      4  62.00 ± 1.83 %  [59.09, 64.91]       -4.00    [-4.00, -4.00]      <0.0001  worse          0.3800 ± 0.0183              1600      0.5
base                8      4  51.50 ± 1.29 %  [49.45, 53.55]      -14.50  [-15.42, -13.58]      <0.0001  worse          0.4850 ± 0.0129               800      0.5
c                  32      1         50.00 %               -      -14.00                 -            -  too few seeds           0.5000              3200      0.5
)");
  const auto first = [&](const std::string& sort) {
    const std::string out = folder.compare({".", "--sort", sort}).out;
    const std::string heading = "\n\ngroup ";
    const size_t row = out.find('\n', out.find(heading) + heading.size()) + 1;
    return out.substr(row, out.find(' ', row) - row);
  };
  CHECK(first("model.hidden_d") == "base");
  CHECK(first("test/loss") == "d");
  CHECK(first("-model.hidden_d") == "d");
  CHECK(first("-test/loss") == "c");
  CHECK_THAT(
      folder.compare({".", "--baseline", "name=base"}).out,
      StartsWith(
          "base: test/accuracy 51.50 %, 95 % [49.45, 53.55], standard deviation "
          "1.29, 4 seeds\nthe 3 others against it: 2 better, 1 too few seeds (t tests at 5 %, "
          "Holm-corrected)\n"));
}

// What a terminal of so many columns shows, without carriage returns.
std::string on_terminal(const Folder& folder, const std::string& columns,
                        const std::string& arguments = ".") {
  const std::string command =
      "stty cols " + columns + "; " VITRINE_BINARY_DIR "/runner compare " + arguments;
  std::string out = Process({"script", "-qec", command, "/dev/null"}, folder.path(), {}).wait().out;
  std::erase(out, '\r');
  return out;
}

size_t longest_line(const std::string& text) {
  size_t out = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto letters =
        std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; });
    out = std::max(out, static_cast<size_t>(letters));
  }
  return out;
}

TEST_CASE("compare leaves columns out for a narrow terminal, and says so") {
  const Folder folder;
  folder.add("c", variant("c", 32), {0.5});
  folder.add("d", variant("d", 64), {0.64, 0.67, 0.65, 0.68});
  CHECK_THAT(on_terminal(folder, "200"),
             Contains("model.parameters  seconds") && !Contains("left out"));
  const std::string narrow = on_terminal(folder, "130");
  CHECK_THAT(narrow, Contains("\nleft out for the width: model.parameters, seconds (--columns "
                              "chooses)\n"));
  CHECK(on_terminal(folder, "80") ==
        R"(d: test/accuracy 66.00 %, 95 % [63.09, 68.91], standard deviation 1.83, 4 seeds
the 3 others against it: 2 worse, 1 too few seeds (t tests at 5 %,
  Holm-corrected for all pairs)

group  hidden_d  seeds  test/accuracy   difference  corrected p  verdict
d            64      4  66.00 ± 1.83 %                           reference
mine         16      4  62.00 ± 1.83 %       -4.00      <0.0001  worse
base          8      4  51.50 ± 1.29 %      -14.50      <0.0001  worse
c            32      1         50.00 %      -14.00            -  too few seeds
left out for the width: 95 %, 95 % of it, test/loss, model.parameters, seconds
  (--columns chooses)
)");
}

// Runs as a folder has them after a month: other models, data, tasks, states.
class Various : public Folder {
 public:
  Various() {
    Metrics deep = variant("deep", 8);
    for (int i = 0; i < 9; ++i) deep.config["training"]["option_" + std::to_string(i)] = i;
    deep.config["model"]["mlp"]["type"] = "swiglu";
    add("deep", deep, {0.55, 0.56});
    Metrics sgd = variant("a_name_that_says_everything_about_it", 32);
    sgd.config["optimizer"] = {{"type", "sgd"}, {"lr", 0.1}};
    add("sgd", sgd, {0.4});
    Metrics diverged = sgd;
    diverged.config["optimizer"]["lr"] = 100;
    diverged.status = RunStatus::kDiverged;
    add("hot", diverged, {0.1});
    Metrics mnist = variant("mnist", 8);
    mnist.dataset["type"] = "mnist";
    mnist.dataset["sha256"] = std::string(64, 'e');
    add("mnist", mnist, {0.9});
    Metrics tasks = variant("tasks", 8);
    tasks.metrics["test/loss.digit"] = tasks.metrics["test/loss.above_five"] = {"min", "nats"};
    add("tasks", tasks, {0.3});
  }
};

TEST_CASE("compare of everything at once parts what cannot be compared, and fits a terminal") {
  const Various folder;
  for (const char* columns : {"80", "100", "200"}) {
    const std::string out = on_terminal(folder, columns);
    INFO(out);
    CHECK(longest_line(out) <= std::stoul(columns));
  }
  const std::string many =
      " --columns seed,model.hidden_d,model.mlp,optimizer.lr,test/loss,train/loss,seconds,run";
  CHECK(longest_line(on_terminal(folder, "80", "." + many)) <= 80);
  const std::string out = on_terminal(folder, "80");
  INFO(out);
  CHECK_THAT(out, StartsWith("14 runs in 3 sections, whose tests measure different things (other "
                             "images or\n  tasks); runs are compared within a section only\n\n"
                             "digits: 12 runs\n---------------\n\n"));
  CHECK_THAT(out, Contains("\nmnist: 1 run\n------------\n\n"));
  CHECK_THAT(out, Contains("\ndigits, tasks above_five and digit: 1 run\n"));
  CHECK_THAT(out, Contains("\nthe 4 others against it: 1 worse, 3 too few seeds, of the runs that "
                           "finished (t\n"));
  CHECK_THAT(out, Contains("a_name_that_says_everything_about_it"));  // whole
  CHECK_THAT(out, Contains("\nalso differ: "));
  CHECK_THAT(out, EndsWith("\n\nhot/0: diverged, not counted\n"));
  // Without a terminal lines are as long as people read.
  CHECK(longest_line(folder.compare({"."}).out) <= 200);
}

TEST_CASE("compare in other formats has the sections too") {
  const Various folder;
  const auto json = nlohmann::json::parse(folder.compare({".", "--json"}).out);
  CHECK(json.at("sections").size() == 3);
  CHECK(json.at("groups").size() == 7);
  CHECK(json.at("groups")[6].at("section") == "digits, tasks above_five and digit");
  CHECK_THAT(folder.compare({".", "--csv"}).out, StartsWith("section,group,"));
  CHECK_THAT(folder.compare({".", "--markdown"}).out,
             StartsWith("### digits\n\n| group |") && Contains("\n\n### mnist\n\n| group |"));
  CHECK_THAT(folder.compare({".", "--latex"}).out,
             StartsWith("\\subsection*{digits}\n\\begin{tabular}{") &&
                 Contains("\n\n\\subsection*{digits, tasks above\\_five and digit}\n"));
  // Sorted, cut to a front and compared with a baseline each for itself.
  CHECK_THAT(folder.compare({".", "--baseline", "name=mine"}).out,
             Contains("mine: test/accuracy 62.00 %") && Contains("mnist: test/accuracy 90.00 %"));
  CHECK_THAT(folder.compare({".", "--pareto", "test/accuracy,model.parameters"}).out,
             Contains(": 1 of 1 groups"));
}

TEST_CASE("compare marks what must not be compared silently") {
  const Folder folder;
  Metrics diverged = variant("mine", 16);
  diverged.seed = 4;
  diverged.status = RunStatus::kDiverged;
  write_run(folder / "mine/4", diverged);
  Metrics killed = diverged;
  killed.seed = 5;
  killed.status = RunStatus::kRunning;
  write_run(folder / "mine/5", killed);
  Metrics repeated = variant("mine", 16);
  repeated.exact = false;
  write_run(folder / "mine/6", repeated);
  write_plain(folder / "mine/6/config.yaml", "");
  fs::create_directories(folder / "mine/7");
  write_plain(folder / "mine/7/metrics.json", "{}");
  fs::create_directories(folder / "mine/8");
  write_plain(folder / "mine/8/config.yaml", "name: mine\n");
  fs::create_directories(folder / "mine/9/trials/0001");
  for (const char* name : {"sweep.yaml", "plan.json", "trials/0001/config.yaml"})
    write_plain(folder / "mine/9" / name, "name: mine\n");
  const Result result = folder.compare({"base", "mine"});
  CHECK(result.code == 0);
  CHECK_THAT(result.out, Contains("\nwith care: mine (1 repeated, 1 diverged, 1 interrupted)\n") &&
                             Contains("\nseeds                  4                4 of 7\n") &&
                             EndsWith("\n\nmine/6: repeated, not counted\n"
                                      "mine/4: diverged, not counted\n"
                                      "mine/5: interrupted, not counted\n"
                                      "mine/7/metrics.json: \"format\" is missing\n"
                                      "mine/8: interrupted before its first metrics.json\n"
                                      "mine/9/trials/0001: never started\n"));
  const auto json = nlohmann::json::parse(folder.compare({"base", "mine", "--json"}).out);
  CHECK(json.at("groups").at(1).at("runs").size() == 7);
  CHECK(json.at("left_out").size() == 3);
  // Tables alone have the marks; what they do not have at all goes to standard error.
  for (const char* format : {"--csv", "--markdown", "--latex"}) {
    CHECK(folder.compare({"base", "mine", format}).err ==
          "warning: mine/7/metrics.json: \"format\" is missing\n"
          "warning: mine/8: interrupted before its first metrics.json\n"
          "warning: mine/9/trials/0001: never started\n");
  }
  CHECK(folder.compare({"base", "mine", "--json"}).err == "");
}

TEST_CASE("compare shows twenty notes and says how many more there are") {
  const Folder folder;
  for (int i = 0; i < 25; ++i) {
    fs::create_directories(folder / ("bad/" + std::to_string(i)));
    write_plain(folder / ("bad/" + std::to_string(i) + "/metrics.json"), "{}");
  }
  CHECK_THAT(folder.compare({"."}).out, EndsWith("\nand 5 more, which --json lists\n"));
  const std::string err = folder.compare({".", "--csv"}).err;
  CHECK(std::count(err.begin(), err.end(), '\n') == 21);
  CHECK_THAT(err, EndsWith("\nwarning: and 5 more, which --json lists\n"));
}

TEST_CASE("compare takes runs by value and by tag, and keeps a Pareto front") {
  const Folder folder;
  folder.add("c", variant("c", 4), {0.51, 0.53, 0.52, 0.54});
  Metrics tagged = variant("d", 2);
  tagged.tags = {"tiny"};
  folder.add("d", tagged, {0.3, 0.31, 0.3, 0.31});
  CHECK_THAT(folder.compare({".", "--where", "model.hidden_d<8", "--where", "seed!=0"}).out,
             StartsWith("d -22.33 points, 95 % ["));
  CHECK_THAT(folder.compare({".", "--where", "model.hidden_d=4,2", "--where", "seed!=0"}).out,
             StartsWith("d -22.33 points, 95 % ["));
  CHECK(folder.compare({".", "--tag", "tiny"}).out.starts_with("d: test/accuracy 30.50 %, "));
  const std::string front = folder.compare({".", "--pareto", "test/accuracy,model.parameters"}).out;
  CHECK_THAT(front, Contains("\non the Pareto front of test/accuracy (larger is better) and "
                             "model.parameters (smaller is better): 3 of 4 groups\n\ngroup "));
  CHECK(front.find("base") == std::string::npos);
}

TEST_CASE("compare writes JSON, CSV, Markdown and LaTeX alone") {
  const Folder folder;
  const auto json = nlohmann::json::parse(folder.compare({".", "--json"}).out);
  CHECK(json.at("groups").at(1).at("contrast").at("verdict") == "better");
  CHECK_THAT(folder.compare({".", "--csv"}).out, StartsWith("group,model.hidden_d,runs,seeds,"));
  CHECK(folder.compare({".", "--markdown", "--columns", "model.mlp"}).out ==
        "| group | model.mlp | seeds | test/accuracy | 95 % | difference | 95 % of it | p | "
        "verdict |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        "| base | gelu | 4 | 51.50 ± 1.29 % | [49.45, 53.55] |  |  |  |  |\n"
        "| mine | gelu | 4 | 62.00 ± 1.83 % | [59.09, 64.91] | +10.50 | [9.58, 11.42] | <0.0001 "
        "| better |\n");
  CHECK(folder.compare({".", "--markdown", "--columns", " model.mlp, test/loss "}).out ==
        folder.compare({".", "--markdown", "--columns", "model.mlp,test/loss"}).out);
  CHECK_THAT(folder.compare({".", "--latex"}).out,
             StartsWith("\\begin{tabular}{") && EndsWith("\\end{tabular}\n"));
}

TEST_CASE("compare escapes what runs are called") {
  const TemporaryFolder folder;
  Metrics metrics = variant("a\x1b[31m", 8);
  metrics.config["model"]["mlp"]["type"] = "x\ny";
  write_run(folder / "1", metrics);
  Metrics other = variant("b", 8);
  other.seed = 1;
  write_run(folder / "2\x1b", other);
  for (const char* format : {"--sort=seed", "--markdown", "--latex", "--csv", "--json"}) {
    const Result result = runner({"compare", ".", format}, folder.path());
    CHECK(result.code == 0);
    CHECK(result.out.find('\x1b') == std::string::npos);
    CHECK(result.out.find("x\ny") == std::string::npos);
  }
}

TEST_CASE("compare refuses what it cannot do") {
  const Folder folder;
  CHECK(folder.refusal({}) ==
        "error: RUN-OR-FOLDER is required; runner compare --help tells what "
        "it takes\n");
  CHECK(folder.refusal({"bas"}) == "error: bas is no run: there is no such directory" +
                                       counted_from(folder.path(), "bas") + "\n");
  CHECK(folder.refusal({".", "--metric", "test/acuracy"}) ==
        "error: --metric test/acuracy: no run has such a key or metric; did you mean "
        "test/accuracy?\n");
  CHECK(folder.refusal({".", "--sort", "hidden_d"}) ==
        "error: --sort hidden_d: no run has such a key or metric; did you mean model.hidden_d?\n");
  CHECK(folder.refusal({".", "--sort", "-hidden_d"}) ==
        "error: --sort hidden_d: no run has such a key or metric; did you mean model.hidden_d?\n");
  CHECK(folder.refusal({".", "--columns", "test/loss,model.hidden"}) ==
        "error: --columns model.hidden: no run has such a key or metric; did you mean "
        "model.hidden_d?\n");
  CHECK(folder.refusal({".", "--pareto", "test/accuracy,parameters"}) ==
        "error: --pareto parameters: no run has such a key or metric; did you mean "
        "model.parameters?\n");
  CHECK(folder.refusal({".", "--pareto", "test/accuracy,model.mlp"}) ==
        "error: --pareto: no group has numbers for all of test/accuracy, model.mlp\n");
  CHECK(folder.refusal({".", "--where", "model.hidden_d=9"}) ==
        "error: no run is left by --where: model.hidden_d is 8, 16\n");
  CHECK(folder.refusal({".", "--tag", "x"}) ==
        "error: --tag x: no run has it; the runs have no tags\n");
  CHECK(folder.refusal({".", "--baseline", "name=other"}) ==
        "error: --baseline selects none of the 2 groups, it must be one; they are: base; mine\n");
  CHECK(folder.refusal({".", "--json", "--csv"}) ==
        "error: --json excludes --csv; runner compare --help tells what it takes\n");
  write_plain(folder / "base/0/metrics.json", "{}");
  CHECK(folder.refusal({"base/0"}, 3) ==
        "error: no run can be compared; the first, base/0: base/0/metrics.json: \"format\" is "
        "missing\n");
}

}  // namespace
}  // namespace vitrine
