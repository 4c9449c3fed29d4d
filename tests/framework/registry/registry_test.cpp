#include "framework/registry/register.h"
#include "tests/framework/config/support.h"

using namespace vitrine;

namespace {

struct Tool {
  static constexpr const char* kKind = "tool";
  struct Context {
    int64_t strength = 1;
  };
  virtual ~Tool() = default;
  virtual int64_t use() const = 0;
};

struct HammerOptions {
  int64_t weight = 2;
  int64_t handle = 30;
  void visit(Fields& field) {
    field("weight", weight, "in kilograms", at_least(1));
    field("handle", handle, "in centimetres", at_least(1));
  }
  void check(const Tool::Context& context, Check& check) const {
    if (weight > context.strength) {
      check.error({"weight", "handle"},
                  "weight (" + std::to_string(weight) + ") is more than you can lift");
    }
    if (weight == 1) check.no_effect("handle", "so light a hammer is held by its head");
  }
};
class Hammer : public Tool {
 public:
  Hammer(const HammerOptions& options, const Context& context)
      : power_(options.weight * options.handle * context.strength) {}
  int64_t use() const override { return power_; }

 private:
  int64_t power_;
};

// A tool that holds other tools.
struct BoxOptions {
  std::vector<Choice<Tool>> tools;
  void visit(Fields& field) { field("tools", tools, "what lies in it"); }
};
class Box : public Tool {
 public:
  Box(const BoxOptions& options, const Context& context) {
    for (const auto& tool : options.tools) tools_.push_back(tool.create(context));
  }
  int64_t use() const override {
    int64_t sum = 0;
    for (const auto& tool : tools_) sum += tool->use();
    return sum;
  }

 private:
  std::vector<std::shared_ptr<Tool>> tools_;
};

const bool hammer =
    register_component<Tool, Hammer, HammerOptions>("drives nails", "tools/hammer.cpp", 31);
const bool box = register_component<Tool, Box, BoxOptions>("holds tools", "tools/box.cpp", 7);

struct Nothing {
  static constexpr const char* kKind = "kind_without_components";
  struct Context {};
};

template <class Base = Tool>
Choice<Base> read(const std::string& yaml, Problems& problems,
                  const std::string& default_type = "") {
  Choice<Base> choice(default_type);
  choice.read(parse_yaml("tool: " + yaml, "a.yaml").children[0], "tool", problems);
  return choice;
}

}  // namespace

TEST_CASE("the name is the file's stem", "[registry]") {
  CHECK(file_stem("models/mlp/gelu.cpp") == "gelu");
  CHECK(file_stem("gelu.cpp") == "gelu");
  CHECK(file_stem("/home/me/plug.ins/my_mlp.v2.cpp") == "my_mlp");
}

TEST_CASE("components are found by kind and name", "[registry]") {
  const Registry& registry = Registry::instance();
  CHECK(registry.names("tool") == std::vector<std::string>{"box", "hammer"});
  CHECK(registry.names("no_such_kind").empty());
  const auto kinds = registry.kinds();
  CHECK(std::count(kinds.begin(), kinds.end(), "tool") == 1);
  CHECK(std::is_sorted(kinds.begin(), kinds.end()));
  const Component* component = registry.find("tool", "hammer");
  REQUIRE(component);
  CHECK(component->description == "drives nails");
  CHECK(component->origin() == "tools/hammer.cpp:31");
  CHECK(registry.find("tool", "hamer") == nullptr);
  CHECK(registry.find("pliers", "hammer") == nullptr);
}

TEST_CASE("a choice reads, checks, builds and writes its component", "[registry]") {
  Problems problems;
  const auto tool = read("{type: hammer, weight: 3}", problems);
  tool.check({5}, problems);
  REQUIRE(problems.empty());
  CHECK(tool.type() == "hammer");
  CHECK(tool.options<HammerOptions>().weight == 3);
  CHECK(tool.create({5})->use() == 3 * 30 * 5);
  CHECK(to_flow_yaml(tool.write()) == "{type: hammer, weight: 3, handle: 30}");
  const auto nested = read(
      "{type: box, tools: [hammer, {type: box, tools: [{type: hammer, weight: 1}]}]}", problems);
  REQUIRE(problems.empty());
  CHECK(nested.create({2})->use() == 120 + 60);
}

TEST_CASE("what nobody has checked is checked as it is made", "[registry]") {
  Problems problems;
  const auto nested = read("{type: box, tools: [{type: hammer, weight: 9}]}", problems);
  REQUIRE(problems.empty());
  CHECK(message_of(ExitCode::kUsage, [&] { nested.create({4}); }) ==
        "a.yaml:1:50: tool.tools.0: weight (9) is more than you can lift\n"
        "    1 | tool: {type: box, tools: [{type: hammer, weight: 9}]}\n"
        "      |                                                  ^ handle is a default");
}

namespace {

struct AloneOptions : NoOptions {
  void check(Check&) const {}
};
struct NotConstOptions : NoOptions {
  void check(const Tool::Context&, Check&) {}
};
struct OtherContextOptions : NoOptions {
  void check(const std::string&, Check&) const {}
};
struct AnswerOptions : NoOptions {
  bool check(Check&) const { return true; }
};

template <class Options>
constexpr bool is_called = ChecksAlone<Options> || ChecksWith<Options, Tool::Context>;

// What has a check that is not called does not compile.
static_assert(!HasCheck<NoOptions>::value && !is_called<NoOptions>);
static_assert(HasCheck<HammerOptions>::value && is_called<HammerOptions>);
static_assert(HasCheck<AloneOptions>::value && is_called<AloneOptions>);
static_assert(HasCheck<NotConstOptions>::value && !is_called<NotConstOptions>);
static_assert(HasCheck<OtherContextOptions>::value && !is_called<OtherContextOptions>);
static_assert(HasCheck<AnswerOptions>::value && !is_called<AnswerOptions>);

}  // namespace

TEST_CASE("the default type stands where none is written", "[registry]") {
  Problems problems;
  CHECK(to_flow_yaml(read("{weight: 7}", problems, "hammer").write()) ==
        "{type: hammer, weight: 7, handle: 30}");
  Choice<Tool> silent("hammer");
  silent.read_default("tool", problems);
  CHECK(silent.options<HammerOptions>().weight == 2);
  CHECK(problems.empty());
}

TEST_CASE("a component's own rules are shown with both places", "[registry]") {
  Problems problems;
  read("{type: hammer, weight: 9, handle: 5}", problems).check({4}, problems);
  CHECK(problems.text("a.yaml") ==
        "a.yaml:1:30: tool: weight (9) is more than you can lift\n"
        "    1 | tool: {type: hammer, weight: 9, handle: 5}\n"
        "      |                              ^ handle is at a.yaml:1:41");
  Problems others;
  read("{type: hammer, weight: 1, handle: 5}", others).check({4}, others);
  CHECK(others.text("a.yaml") ==
        "a.yaml:1:33: tool.handle has no effect: so light a hammer is held by its head\n"
        "    1 | tool: {type: hammer, weight: 1, handle: 5}\n"
        "      |                                 ^ remove it");
}

TEST_CASE("what was refused is neither checked nor built", "[registry]") {
  Problems problems;
  auto tool = read("saw", problems);
  CHECK(problems.text("a.yaml") ==
        "a.yaml:1:7: tool: unknown tool \"saw\"\n"
        "    1 | tool: saw\n"
        "      |       ^ there are box, hammer; no plug-in is loaded; plugins: [FILE] or --plugin "
        "FILE adds some");
  CHECK_FALSE(tool.valid());
  tool.check({4}, problems);
  CHECK(problems.size() == 1);
  CHECK(message_of(ExitCode::kInternal, [&] { tool.create({4}); }) ==
        "tool: built before its config was read");
  tool.read(parse_yaml("x: hammer", "a.yaml").children[0], "tool", problems);
  CHECK(tool.valid());
  tool.read(parse_yaml("x: []", "a.yaml").children[0], "tool", problems);
  CHECK_FALSE(tool.valid());
}

TEST_CASE("a kind without components says so", "[registry]") {
  Problems problems;
  read<Nothing>("saw", problems);
  CHECK(
      problems.text("a.yaml") ==
      "a.yaml:1:7: tool: unknown kind_without_components \"saw\"\n"
      "    1 | tool: saw\n"
      "      |       ^ there are none; no plug-in is loaded; plugins: [FILE] or --plugin FILE adds "
      "some");
}

TEST_CASE("the schema of components that hold others of their kind has an end", "[registry]") {
  const auto schema = Choice<Tool>().schema();
  CHECK(schema.at("anyOf").size() == 3);
  CHECK(schema.at("anyOf")[0].at("enum") == std::vector<std::string>{"box", "hammer"});
  const auto& inner = schema.at("anyOf")[1].at("properties").at("tools").at("items").at("anyOf");
  CHECK(inner[1].dump() ==
        R"({"type":"object","properties":{"type":{"const":"box"}},"required":["type"]})");
  CHECK(inner[2].at("properties").at("weight").at("minimum") == 1);
}

TEST_CASE("a second component of the same name is a problem with both places", "[registry]") {
  Registry registry;
  const auto component = [](const char* origin) {
    Component out;
    out.kind = "mlp";
    out.name = "gelu";
    out.place = origin;
    return out;
  };
  registry.add(component("models/mlp/gelu.cpp:40"));
  registry.set_library("/plug-ins/mine.so");
  registry.add(component("gelu.cpp:12"));
  CHECK(registry.problems() ==
        std::vector<std::string>{"the mlp \"gelu\" is registered twice: models/mlp/gelu.cpp:40 and "
                                 "gelu.cpp:12 in /plug-ins/mine.so"});
  CHECK(registry.size() == 1);
  CHECK(registry.find("mlp", "gelu")->origin() == "models/mlp/gelu.cpp:40");
}
