#include "framework/training/target.h"

#include "framework/config/yaml.h"
#include "tests/catch.h"

namespace vitrine {
namespace {

Target read(const std::string& yaml, Problems& problems) {
  const Node config = parse_yaml("target: " + yaml, "test.yaml");
  Target target;
  target.read(*config.find("target"), "target", problems);
  return target;
}

Target read(const std::string& yaml) {
  Problems problems;
  const Target target = read(yaml, problems);
  CHECK(problems.text("test.yaml") == "");
  return target;
}

std::string what_is_wrong(const std::string& yaml, int64_t labels = 10) {
  Problems problems;
  const Target target = read(yaml, problems);
  const Node nothing;
  Check check(nothing, "task", problems);
  target.check_against(labels, "target", check);
  return problems.text("test.yaml");
}

using Names = std::vector<std::string>;
using Numbers = std::vector<int64_t>;

}  // namespace

TEST_CASE("a target is the label or a question about it") {
  const Names names = {"zero", "one", "two", "three"};
  CHECK(read("label").of_labels(4) == Numbers{0, 1, 2, 3});
  CHECK(read("label").class_names(names) == names);
  CHECK(read("{above: 1}").of_labels(4) == Numbers{0, 0, 1, 1});
  CHECK(read("{above: 1}").class_names(names) == Names{"not above 1", "above 1"});
  CHECK(read("{one_of: [2, 0]}").of_labels(4) == Numbers{1, 0, 1, 0});
  CHECK(read("{one_of: [2, 3, 5, 7]}").class_names(names) ==
        Names{"none of 2, 3, 5, 7", "one of 2, 3, 5, 7"});
}

TEST_CASE("a target is written as it was read") {
  for (const std::string yaml : {"label", "{above: 5}", "{one_of: [2, 3, 5, 7]}"}) {
    CHECK(to_flow_yaml(read(to_flow_yaml(read(yaml).write())).write()) ==
          to_flow_yaml(read(yaml).write()));
  }
}

TEST_CASE("a target that is not one is refused in words") {
  CHECK(what_is_wrong("{below: 5}") ==
        "test.yaml:1:9: target: expected a target, got a mapping\n"
        "    1 | target: {below: 5}\n"
        "      |         ^ written as label, {above: 5} or {one_of: [2, 3, 5, 7]}");
  for (const std::string yaml : {"[1]", "labels", "{above: five}", "{above: [5]}", "{one_of: []}",
                                 "{one_of: 5}", "{above: 1, one_of: [2]}"}) {
    CHECK_THAT(what_is_wrong(yaml), StartsWith("test.yaml:1:9: target: expected a target, got "));
  }
}

TEST_CASE("a target that every label or none meets is an error") {
  CHECK(what_is_wrong("{above: 9}") ==
        "test.yaml: task: \"above 9\" can never happen: the classes are numbered 0 to 9\n      "
        "target is a default");
  CHECK(what_is_wrong("{above: -1}") ==
        "test.yaml: task: \"above -1\" always holds: the classes are numbered 0 to 9\n      target "
        "is a default");
  CHECK(what_is_wrong("{one_of: [0, 1]}", 2) ==
        "test.yaml: task: \"one of 0, 1\" always holds: the classes are numbered 0 to 1\n      "
        "target is a default");
  CHECK(what_is_wrong("{one_of: [3, 10]}") ==
        "test.yaml: task: there is no class 10: the classes are numbered 0 to 9\n      target is a "
        "default");
  CHECK(what_is_wrong("{above: 8}") == "");
}

}  // namespace vitrine
