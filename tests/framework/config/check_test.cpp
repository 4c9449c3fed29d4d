#include "framework/config/check.h"

#include "tests/framework/config/support.h"

using namespace vitrine;

namespace {

const char* const kConfig =
    "model:\n"
    "  hidden_d: 8\n"
    "  n_heads: 3\n"
    "  tasks:\n"
    "    - {name: class, weight: 0}\n";

std::string problem(const std::function<void(Check&)>& rule, const std::string& yaml = kConfig) {
  const Node config = parse_yaml(yaml, "a.yaml");
  Problems problems;
  const Check root(config, "", problems);
  Check check = root.at("model");
  rule(check);
  return problems.empty() ? "" : problems.text("a.yaml");
}

}  // namespace

TEST_CASE("a rule between fields is shown with both places", "[check]") {
  const auto rule = [](Check& check) {
    check.error({"hidden_d", "n_heads"}, "hidden_d (8) must be divisible by n_heads (3)");
  };
  CHECK(problem(rule) ==
        "a.yaml:2:13: model: hidden_d (8) must be divisible by n_heads (3)\n"
        "    2 |   hidden_d: 8\n"
        "      |             ^ n_heads is at a.yaml:3:12");
  CHECK(problem(rule, "model: {n_heads: 3}") ==
        "a.yaml:1:18: model: hidden_d (8) must be divisible by n_heads (3)\n"
        "    1 | model: {n_heads: 3}\n"
        "      |                  ^ hidden_d is a default");
  CHECK(problem(rule, "model: {}") ==
        "a.yaml:1:8: model: hidden_d (8) must be divisible by n_heads (3)\n"
        "    1 | model: {}\n"
        "      |        ^ hidden_d is a default; n_heads is a default");
  CHECK(problem(rule, "{}") ==
        "a.yaml: model: hidden_d (8) must be divisible by n_heads (3)\n"
        "      hidden_d is a default; n_heads is a default");
}

TEST_CASE("an option without effect is refused where it is written", "[check]") {
  const auto rule = [](Check& check) { check.no_effect("n_heads", "attention none has no heads"); };
  CHECK(problem(rule) ==
        "a.yaml:3:3: model.n_heads has no effect: attention none has no heads\n"
        "    3 |   n_heads: 3\n"
        "      |   ^ remove it");
  CHECK(problem(rule, "model: {hidden_d: 8}") == "");
}

TEST_CASE("a check goes down into groups and lists", "[check]") {
  CHECK(problem([](Check& check) {
          const Check task = check.at("tasks").at("0");
          CHECK(task.path() == "model.tasks.0");
          CHECK(task.is_set("weight"));
          CHECK_FALSE(task.is_set("head"));
          Check(task).error({"weight"}, "a weight of 0 trains nothing");
        }) ==
        "a.yaml:5:29: model.tasks.0: a weight of 0 trains nothing\n"
        "    5 |     - {name: class, weight: 0}\n"
        "      |                             ^");
}
