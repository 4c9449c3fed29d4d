#include "framework/comparing/condition.h"

#include "tests/catch.h"
#include "tests/framework/comparing/support.h"
#include "tests/framework/runs/support.h"

namespace vitrine {
namespace {

bool holds(const std::string& condition) {
  return Condition(condition, "--where").holds(record_of(example_run(3, 0.75)));
}

std::string refusal(const std::string& condition) {
  return error_of([&] { Condition(condition, "--where"); });
}

// What select_runs says to two runs, of hidden_d 8 and 16, the second with the tag "wide".
std::string selection(const std::vector<std::string>& where,
                      const std::vector<std::string>& tags = {}) {
  Metrics wide = example_run(1);
  wide.config["model"]["hidden_d"] = 16;
  wide.tags = {"wide"};
  const std::vector<RunRecord> runs = {record_of(example_run(0)), record_of(wide)};
  std::vector<Condition> conditions;
  for (const std::string& text : where) conditions.emplace_back(text, "--where");
  std::string seeds;
  const std::string error = error_of([&] {
    for (const RunRecord* run : select_runs(pointers_to(runs), conditions, tags)) {
      seeds += std::to_string(run->metrics.seed);
    }
  });
  return error.empty() ? seeds : error;
}

TEST_CASE("conditions compare values", "[reports]") {
  CHECK(holds("model.hidden_d=8"));
  CHECK(holds("model.hidden_d==8.0"));
  CHECK_FALSE(holds("model.hidden_d=16"));
  CHECK(holds("model.hidden_d!=16"));
  CHECK_FALSE(holds("model.hidden_d!=8"));
  CHECK(holds("model.hidden_d>=8"));
  CHECK_FALSE(holds("model.hidden_d>8"));
  CHECK(holds("model.hidden_d<1e2"));
  CHECK(holds("test/accuracy>0.7"));
  CHECK_FALSE(holds("test/accuracy<=0.7"));
  CHECK(holds("model.mlp=gelu"));
  CHECK(holds("model.mlp.type=gelu"));
  CHECK_FALSE(holds("model.mlp=8"));
  CHECK(holds("model.n_patches=7"));
  CHECK(holds("model.n_patches=[7]"));
  CHECK_FALSE(holds("model.n_patches=[7, 7]"));
  CHECK(holds("exact=true"));
  CHECK(holds("note="));
  CHECK(holds("status!=diverged"));
  CHECK(holds("environment.git=ccccccc"));
  CHECK_FALSE(holds("environment.git=cccccc"));
}

TEST_CASE("commas part alternatives", "[reports]") {
  CHECK(holds("model.hidden_d=4,8"));
  CHECK(holds("model.hidden_d=8, 16"));
  CHECK_FALSE(holds("model.hidden_d=4,16"));
  CHECK(holds("model.hidden_d!=4,16"));
  CHECK_FALSE(holds("model.hidden_d!=4,8"));
  CHECK(holds("model.mlp=swiglu, gelu"));
  CHECK(holds("model.n_patches=[4, 4],[7]"));
  CHECK_FALSE(holds("model.n_patches=[7, 4]"));
  CHECK(holds("environment.git=eeeeeee, ccccccc"));
  CHECK(holds("note=x,"));
  CHECK_FALSE(holds("model.mlp=\"swiglu,gelu\""));
}

TEST_CASE("a value that a run does not have is unequal to all", "[reports]") {
  CHECK_FALSE(holds("model.absent=8"));
  CHECK(holds("model.absent!=8"));
  CHECK_FALSE(holds("model.absent<8"));
  CHECK_FALSE(holds("model.mlp>0"));
}

TEST_CASE("what is no condition is refused", "[reports]") {
  const std::string expected = ": expected NAME=VALUE, or !=, <, <=, > or >= between them";
  CHECK(refusal("model.hidden_d") == "2: --where model.hidden_d" + expected);
  CHECK(refusal("=8") == "2: --where =8" + expected);
  CHECK(refusal("a!8") == "2: --where a!8" + expected);
  CHECK(refusal("model.mlp<gelu") ==
        "2: --where model.mlp<gelu: < compares with a number, got \"gelu\"");
  CHECK(refusal("a<8,16") == "2: --where a<8,16: < compares with a number, got \"8,16\"");
  CHECK(refusal("a=[1").starts_with("2: --where:1:"));
}

TEST_CASE("runs are selected by conditions and tags", "[reports]") {
  CHECK(selection({}) == "01");
  CHECK(selection({"model.hidden_d=16"}) == "1");
  CHECK(selection({"model.hidden_d=8,16"}) == "01");
  CHECK(selection({"model.hidden_d>=8", "seed=0"}) == "0");
  CHECK(selection({}, {"wide"}) == "1");
}

TEST_CASE("runs that cannot be read stay, whatever is asked for", "[reports]") {
  const std::vector<RunRecord> runs = {record_of(example_run()),
                                       {"runs/x", "unreadable", "runs/x: broken", {}, {}}};
  const auto left = [&](const std::string& where) {
    return select_runs(pointers_to(runs), {Condition(where, "--where")}, {});
  };
  CHECK(left("model.hidden_d=8") == pointers_to(runs));
  CHECK(error_of([&] { left("model.hidden_d=9"); }) ==
        "2: no run is left by --where: model.hidden_d is 8");
}

TEST_CASE("a selection that leaves nothing tells what there is", "[reports]") {
  CHECK(selection({"model.hidden_d=9"}) == "2: no run is left by --where: model.hidden_d is 8, 16");
  CHECK(selection({"model.hidden_d=16", "model.hidden_d=8"}) ==
        "2: no run is left by --where: model.hidden_d is 16; all conditions must hold "
        "(NAME=VALUE,VALUE takes either value)");
  CHECK(selection({"model.hidden=9"}) ==
        "2: --where model.hidden: no run has such a key or metric; did you mean model.hidden_d?");
  CHECK(selection({"hidden_d=8"}) ==
        "2: --where hidden_d: no run has such a key or metric; did you mean model.hidden_d?");
  CHECK(selection({"test/acuracy>0"}) ==
        "2: --where test/acuracy: no run has such a key or metric; did you mean test/accuracy?");
  CHECK(selection({"learning_rate=1"}) ==
        "2: --where learning_rate: no run has such a key or metric; did you mean optimizer.lr?");
  CHECK(selection({"test_acc>0"}) ==
        "2: --where test_acc: no run has such a key or metric; did you mean test/accuracy?");
  CHECK(selection({"patience=1"}) ==
        "2: --where patience: no run has such a key or metric, nor "
        "training.early_stopping.patience or schedule.patience");
  CHECK(selection({"\x1b=1"}) == "2: --where \\x1b: no run has such a key or metric");
  CHECK(selection({}, {"wider"}) == "2: --tag wider: no run has it; there are wide");
  CHECK(selection({"model.hidden_d=8"}, {"wide"}) ==
        "2: no run is left by --where: model.hidden_d is 16");
  const std::vector<RunRecord> runs = {record_of(example_run())};
  CHECK(error_of([&] { select_runs(pointers_to(runs), {}, {"a"}); }) ==
        "2: --tag a: no run has it; the runs have no tags");
  Metrics a = example_run(), b = example_run();
  a.tags = {"a"};
  b.tags = {"b"};
  const std::vector<RunRecord> tagged = {record_of(a), record_of(b)};
  CHECK(error_of([&] {
          select_runs(pointers_to(tagged), {}, {"a", "b"});
        }) == "2: no run has all of these tags");
}

}  // namespace
}  // namespace vitrine
