#include "framework/comparing/sections.h"

#include "tests/catch.h"
#include "tests/framework/comparing/support.h"
#include "tests/framework/runs/support.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;
using Texts = std::vector<std::string>;

Json task(const std::string& name, char targets = 'a', double weight = 1) {
  return {{"name", name}, {"targets", std::string(64, targets)}, {"weight", weight}};
}

// As runs tell since they record what their tests measure.
Metrics telling(const std::function<void(Metrics&)>& change = [](Metrics&) {}) {
  Metrics metrics = example_run();
  metrics.dataset["test_sha256"] = std::string(64, '1');
  metrics.model["tasks"] = Json::array({task("class")});
  change(metrics);
  return metrics;
}

const auto nothing = [](Metrics&) {};
const auto other_test = [](Metrics& m) {
  m.dataset["sha256"] = std::string(64, 'e');
  m.dataset["test_sha256"] = std::string(64, '2');
};

std::vector<RunRecord> runs_of(const std::vector<std::function<void(Metrics&)>>& changes) {
  std::vector<RunRecord> out;
  for (const auto& change : changes)
    out.push_back(record_of(telling(change), "runs/" + std::to_string(out.size())));
  return out;
}

// "LABEL: how many runs" of each section.
Texts sections_of(const std::vector<RunRecord>& runs, const std::string& metric = "test/accuracy") {
  Texts out;
  for (const Section& section : parted(pointers_to(runs), metric))
    out.push_back(fmt::format("{}: {}", section.label, section.runs.size()));
  return out;
}

TEST_CASE("runs whose tests measure the same are one section", "[reports]") {
  CHECK(sections_of(runs_of({nothing, nothing})) == Texts{": 2"});
  // Other training images are a choice to compare.
  CHECK(sections_of(runs_of({nothing, [](Metrics& m) {
                               m.dataset["sha256"] = std::string(64, 'e');
                               m.dataset["train"] = 5;
                             }})) == Texts{": 2"});
}

TEST_CASE("sections are called by what tells them apart, those of most runs first", "[reports]") {
  const auto fewer = [](Metrics& m) {
    m.dataset["test_sha256"] = std::string(64, '9');
    m.dataset["test"] = 10;
  };
  const auto mnist = [](Metrics& m) {
    other_test(m);
    m.dataset["type"] = "mnist";
  };
  const auto two = [](Metrics& m) {
    m.model["tasks"] = Json::array({task("digit"), task("above", 'b')});
  };
  CHECK(sections_of(runs_of({mnist, nothing, nothing})) == Texts{"digits: 2", "mnist: 1"});
  CHECK(sections_of(runs_of({nothing, fewer})) ==
        Texts{"digits, 64 test images: 1", "digits, 10 test images: 1"});
  CHECK(sections_of(runs_of({mnist, fewer, two, nothing})) ==
        Texts{"mnist: 1", "digits, 10 test images: 1", "digits, tasks digit and above: 1",
              "digits, 64 test images: 1"});
  const auto above = [](Metrics& m) { m.model["tasks"] = Json::array({task("above", 'b')}); };
  CHECK(sections_of(runs_of({nothing, above})) ==
        Texts{"digits, task class: 1", "digits, task above: 1"});
  const auto seed = [](int64_t value) {
    return [value](Metrics& m) {
      m.config["dataset"] = {{"type", "digits"}, {"validation", 10 * value}, {"seed", value}};
      m.dataset["test_sha256"] = std::string(64, static_cast<char>('3' + value));
    };
  };
  const auto other_validation = [&](Metrics& m) {
    seed(0)(m);
    m.config["dataset"]["validation"] = 5;
  };
  CHECK(sections_of(runs_of({seed(0), seed(1), other_validation})) ==
        Texts{"digits, seed 0: 2", "digits, seed 1: 1"});
  // Nothing but the images themselves is other.
  CHECK(sections_of(runs_of({nothing, other_test})) ==
        Texts{"digits, data 11111111: 1", "digits, data 22222222: 1"});
  const auto even = [](Metrics& m) { m.model["tasks"] = Json::array({task("class", 'b')}); };
  CHECK(sections_of(runs_of({nothing, even})) ==
        Texts{"digits, targets aaaaaaaa: 1", "digits, targets bbbbbbbb: 1"});
}

TEST_CASE("a loss is compared with the same loss alone", "[reports]") {
  const auto loss = [](const char* type, double smoothing) {
    return [=](Metrics& m) { m.config["loss"] = {{"type", type}, {"smoothing", smoothing}}; };
  };
  const auto weighing = [](double weight) {
    return [=](Metrics& m) { m.model["tasks"] = Json::array({task("a"), task("b", 'b', weight)}); };
  };
  const auto runs = runs_of({loss("x", 0), loss("y", 0), loss("x", 0.1)});
  CHECK(sections_of(runs) == Texts{": 3"});
  CHECK(sections_of(runs, "test/loss") == Texts{"digits, loss x, smoothing 0: 1",
                                                "digits, loss y: 1",
                                                "digits, loss x, smoothing 0.1: 1"});
  CHECK(sections_of(runs_of({weighing(2), weighing(0.5)})) == Texts{": 2"});
  CHECK(sections_of(runs_of({weighing(2), weighing(0.5)}), "test/loss").size() == 2);
}

TEST_CASE("runs of earlier versions are parted by their whole data set and their tasks' names",
          "[reports]") {
  auto runs = runs_of({nothing, nothing, nothing});
  runs[1].metrics.dataset.erase("test_sha256");
  runs[2].metrics.model.erase("tasks");
  CHECK(sections_of(runs) == Texts{": 3"});
  runs[1].metrics.dataset["sha256"] = std::string(64, 'e');
  CHECK(sections_of(runs).size() == 2);
  auto tasks = runs_of({nothing, nothing});
  for (RunRecord& run : tasks) run.metrics.model.erase("tasks");
  tasks[1].metrics.metrics["test/loss.digit"] = tasks[1].metrics.metrics["test/loss.above"] = {};
  CHECK(sections_of(tasks) == Texts{"digits: 1", "digits, tasks above and digit: 1"});
}

TEST_CASE("what cannot be compared goes with the first section", "[reports]") {
  auto runs = runs_of({nothing, other_test, other_test});
  runs.push_back({"runs/x", "unreadable", "runs/x/metrics.json: invalid JSON", {}, {}});
  CHECK(sections_of(runs) == Texts{"digits, data 22222222: 3", "digits, data 11111111: 1"});
  const auto compared = compare_sections(pointers_to(runs), {});
  CHECK(compared[0].comparison.left_out.size() == 1);
  CHECK(compared[0].runs == 3);
  CHECK(compared[1].comparison.left_out.empty());
  // A file that was damaged by hand is no reason to fail.
  runs[0].metrics.dataset = {{"type", 3}, {"test", "x"}, {"test_sha256", 1}};
  runs[1].metrics.model["tasks"] = {3};
  CHECK(sections_of(runs).size() == 2);
}

TEST_CASE("a test compares within a section alone", "[reports]") {
  const auto wide = [](Metrics& m) { m.config["model"]["hidden_d"] = 16; };
  std::vector<RunRecord> runs;
  const auto add = [&](const std::function<void(Metrics&)>& change,
                       const std::vector<double>& accuracies) {
    for (RunRecord& run : seeds_of(telling(change), accuracies)) runs.push_back(std::move(run));
  };
  add(nothing, {0.50, 0.52, 0.51});
  add(wide, {0.60, 0.62, 0.63});
  add(other_test, {0.90, 0.91, 0.92});
  const auto sections = compare_sections(pointers_to(runs), {});
  REQUIRE(sections.size() == 2);
  const Comparison& first = sections[0].comparison;
  CHECK(first.keys == Texts{"model.hidden_d"});
  CHECK(first.groups.size() == 2);
  CHECK(first.groups[1].contrast->verdict == Verdict::kBetter);
  CHECK(first.groups[1].marks.empty());
  CHECK(sections[1].comparison.groups.size() == 1);
  CHECK_FALSE(sections[1].comparison.groups[0].contrast);
}

TEST_CASE("a baseline holds for the sections that have it, a metric for those that know it",
          "[reports]") {
  const auto wide = [](Metrics& m) { m.config["model"]["hidden_d"] = 16; };
  const auto other_name = [](Metrics& m) {
    other_test(m);
    m.config["name"] = m.name = "other";
    m.config["model"]["hidden_d"] = 32;
  };
  const auto runs = runs_of({nothing, wide, other_test, other_name});
  const auto reference = [&](const std::string& baseline) {
    Texts out;
    for (const auto& section :
         compare_sections(pointers_to(runs), {"", {Condition(baseline, "--baseline")}}))
      out.push_back(section.comparison.reference);
    return out;
  };
  CHECK(reference("model.hidden_d=16") == Texts{"hidden_d=16", "small"});
  CHECK(reference("name=other") == Texts{"hidden_d=8", "other"});
  CHECK(error_of([&] { reference("name=none"); }) ==
        "2: --baseline selects none of the 2 groups, it must be one; they are: hidden_d=8; "
        "hidden_d=16");

  auto untested = runs;
  for (size_t i = 2; i < 4; ++i) {
    untested[i].metrics.summary = {{"train/loss", 2.0}};
    untested[i].metrics.test = Json::object();
  }
  const auto metrics = [&](const std::string& metric) {
    Texts out;
    for (const auto& section : compare_sections(pointers_to(untested), {metric, {}}))
      out.push_back(section.comparison.metric);
    return out;
  };
  CHECK(metrics("") == Texts{"test/accuracy", "train/loss"});
  CHECK(metrics("test/loss") == Texts{"test/loss", "test/loss"});
  CHECK(error_of([&] { metrics("tset/loss"); }) ==
        "2: --metric tset/loss: no run has such a key or metric; did you mean test/loss?");
}

}  // namespace
}  // namespace vitrine
