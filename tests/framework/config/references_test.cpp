#include "framework/config/references.h"

#include <cstdlib>

#include "tests/framework/config/support.h"

using namespace vitrine;

namespace {

struct Mlp {
  std::string type = "gelu";
  int64_t ratio = 4;
  void visit(Fields& field) {
    field("type", type, "");
    field("ratio", ratio, "");
  }
};
struct Options {
  std::string name = "x", note;
  int64_t width = 8, depth = 2;
  Mlp mlp;
  std::vector<int64_t> sizes = {1, 2};
  void visit(Fields& field) {
    field("name", name, "");
    field("note", note, "");
    field("width", width, "");
    field("depth", depth, "");
    field("mlp", mlp, "");
    field("sizes", sizes, "");
  }
};

// The values of a config in which every key may refer to every other one.
Node resolved(const std::string& yaml, Problems& problems) {
  const auto completed = [](const Node& config) {
    Options options;
    Problems ignored;
    read_fields(fields_of(options), config, "", ignored);
    return write_fields(fields_of(options));
  };
  const auto known = [](const Node& config) {
    Options options;
    KnownKeys out;
    list_known(fields_of(options), "", &config, out);
    return out;
  };
  const Node config = with_environment(parse_yaml(yaml, "a.yaml"));
  return with_values(config, {completed, known}, problems);
}

std::string values(const std::string& yaml) {
  Problems problems;
  const std::string out = resolved(yaml, problems).json().dump();
  return problems.empty() ? out : problems.text("");
}

std::string refused(const std::string& yaml) {
  return message_of(ExitCode::kUsage, [&] { with_environment(parse_yaml(yaml, "a.yaml")); });
}

}  // namespace

TEST_CASE("a reference alone is the value, with its type", "[references]") {
  CHECK(values("width: 16\ndepth: ${width}") == R"({"width":16,"depth":16})");
  CHECK(values("depth: ${width}\nwidth: 16") == R"({"depth":16,"width":16})");
  CHECK(values("a: true\nb: \"${a}\"\nc: '${a}'") == R"({"a":true,"b":true,"c":true})");
  CHECK(values("a: \"16\"\nb: ${a}") == R"({"a":"16","b":"16"})");
  CHECK(values("a: null\nb: ${a}") == R"({"a":null,"b":null})");
  CHECK(values("a: [1, 2]\nb: ${a}\nc: ${a.1}") == R"({"a":[1,2],"b":[1,2],"c":2})");
  CHECK(values("a: {x: 1, y: {z: 2}}\nb: ${a}\nc: ${a.y.z}") ==
        R"({"a":{"x":1,"y":{"z":2}},"b":{"x":1,"y":{"z":2}},"c":2})");
  CHECK(values("a: [\"${b}\", x]\nb: 5") == R"({"a":[5,"x"],"b":5})");
}

TEST_CASE("within a text a reference is a text", "[references]") {
  CHECK(values("width: 16\nnote: w${width}-d${depth}.") == R"({"width":16,"note":"w16-d2."})");
  CHECK(values("a: \"5\"\nb: 1${a}") == R"({"a":"5","b":"15"})");
  CHECK(values("mlp: swiglu\nnote: m-${mlp}") == R"({"mlp":"swiglu","note":"m-swiglu"})");
  CHECK(values("mlp: {type: swiglu}\nnote: m-${mlp}") ==
        R"({"mlp":{"type":"swiglu"},"note":"m-swiglu"})");
  CHECK(values("a: [1]\nnote: x${a}") ==
        "a.yaml:2:7: note: a is a list, which cannot stand within a text\n"
        "    2 | note: x${a}\n"
        "      |       ^");
  CHECK(values("a: null\nnote: x${a}")
            .starts_with("a.yaml:2:7: note: a is nothing, which cannot stand within a text\n"));
}

TEST_CASE("references lead on, into each other and to defaults", "[references]") {
  CHECK(values("a: ${b}\nb: ${c}\nc: 1") == R"({"a":1,"b":1,"c":1})");
  CHECK(values("a: ${b.x}\nb: ${c}\nc: {x: 1}") == R"({"a":1,"b":{"x":1},"c":{"x":1}})");
  CHECK(values("note: ${width}\nname: ${mlp.ratio}") == R"({"note":8,"name":4})");
  CHECK(values("note: ${mlp.type}\nmlp: swiglu") == R"({"note":"swiglu","mlp":"swiglu"})");
  CHECK(values("note: x${name}\nname: y${depth}") == R"({"note":"xy2","name":"y2"})");
  CHECK(values("depth: ${sizes.1}") == R"({"depth":2})");
}

TEST_CASE("cycles and unknown names are told with their places", "[references]") {
  CHECK(values("a: 1\nwidth: ${depth}\ndepth: ${note}\nnote: ${width}")
            .starts_with("a.yaml:2:8: width: these refer to each other: width -> depth -> note -> "
                         "width\n"
                         "    2 | width: ${depth}\n"
                         "      |        ^\n"));
  CHECK(values("width: ${width}")
            .starts_with("a.yaml:1:8: width: these refer to each other: width "
                         "-> width\n"));
  CHECK(values("mlp: {ratio: \"${mlp}\"}")
            .starts_with("a.yaml:1:14: mlp.ratio: these refer to each other: mlp.ratio -> "
                         "mlp.ratio\n"));
  CHECK(values("width: ${dept}") ==
        "a.yaml:1:8: width: ${dept}: there is no such key\n"
        "    1 | width: ${dept}\n"
        "      |        ^ did you mean depth?");
  CHECK(values("depth: ${ratio}") ==
        "a.yaml:1:8: depth: ${ratio}: there is no such key\n"
        "    1 | depth: ${ratio}\n"
        "      |        ^ did you mean mlp.ratio?");
  CHECK(values("width: ${oc.env:X}").ends_with("^ an environment variable is written ${env:NAME}"));
}

TEST_CASE("a literal sign is doubled, and written so again", "[references]") {
  CHECK(values("a: $${b}\nc: $$x $5 ${d}\nd: 1") == R"({"a":"${b}","c":"$$x $5 1","d":1})");
  CHECK(values("a: \"$${env:HOME}\"\nb: x${a}") == R"({"a":"${env:HOME}","b":"x${env:HOME}"})");
  Problems problems;
  CHECK(to_yaml(resolved("a: $${b}", problems)) == "a: \"$${b}\"\n");
  CHECK(to_yaml(parse_yaml("a: ${b}\nc: x$${d}${e}", "a.yaml")) ==
        "a: \"${b}\"\nc: \"x$${d}${e}\"\n");
  CHECK(parse_yaml("a: $${b}", "a.yaml").json().dump() == R"({"a":"${b}"})");
}

TEST_CASE("environment variables", "[references]") {
  setenv("VITRINE_TEST_NUMBER", "12", 1);
  setenv("VITRINE_TEST_TEXT", "${width}", 1);
  unsetenv("VITRINE_TEST_NONE");
  CHECK(values("width: ${env:VITRINE_TEST_NUMBER}\nnote: n${env:VITRINE_TEST_NUMBER}") ==
        R"({"width":12,"note":"n12"})");
  CHECK(values("note: ${env:VITRINE_TEST_TEXT}/${depth}") == R"({"note":"${width}/2"})");
  CHECK(refused("seed: 1\nnote: x${env:VITRINE_TEST_NONE}") ==
        "a.yaml:2:7: note: the environment variable VITRINE_TEST_NONE is not set\n"
        "    2 | note: x${env:VITRINE_TEST_NONE}\n"
        "      |       ^");
  CHECK(refused("a: [\"${env:}\"]")
            .starts_with("a.yaml:1:5: a.0: \"\" is no name of an environment variable\n"));
  CHECK(refused("a: ${b") ==
        "a.yaml:1:4: a: \"${\" is not closed\n"
        "    1 | a: ${b\n"
        "      |    ^ a literal \"${\" is written \"$${\"");
  CHECK(refused("a: \"${b.${c}}\"")
            .starts_with("a.yaml:1:4: a: \"${\" and \"}\" enclose one key, or env: and the name of "
                         "a variable\n"));
}

TEST_CASE("references that multiply end somewhere", "[references]") {
  std::string texts = "a0: xxxxxxxxxx\n", maps = "a0: 1\n", chain = "a0: 1\n";
  for (int i = 1; i < 40; ++i) {
    const std::string below = "\"${a" + std::to_string(i - 1) + "}\"";
    const std::string name = "a" + std::to_string(i) + ": ";
    texts += name + "${a" + std::to_string(i - 1) + "}${a" + std::to_string(i - 1) + "}\n";
    maps += name + "[" + below + ", " + below + "]\n";
  }
  for (int i = 1; i < 1000; ++i)
    chain += "a" + std::to_string(i) + ": ${a" + std::to_string(i - 1) + "}\n";
  CHECK(values(texts).find("counting what references repeat") != std::string::npos);
  CHECK(values(maps).find("counting what references repeat") != std::string::npos);
  CHECK(values(chain).find("more than 64 references lead to each other") != std::string::npos);
}

TEST_CASE("what is made of a key follows it", "[references]") {
  const Node written =
      parse_yaml("seed: 0\nsplit: ${seed}\nnote: s${split}\nwidth: ${depth}\ndepth: 2\n", "a.yaml");
  const Node config =
      parse_yaml("{seed: 7, split: 0, note: s0, width: 3, depth: 2}", "resolved.yaml");
  CHECK(with_followers(config, written, {"seed"}).json().dump() ==
        R"({"seed":7,"split":7,"note":"s7","width":3,"depth":2})");
}

TEST_CASE("the origin of a value that refers", "[references]") {
  Problems problems;
  const Node config = resolved("width: 16\ndepth: ${width}\nnote: a${depth}", problems);
  CHECK(origin_of(config, "depth") == "a.yaml:2:8, ${width}");
  CHECK(origin_of(config, "note") == "a.yaml:3:7, a${depth}");
  CHECK(origin_of(config, "width") == "a.yaml:1:8");
}
