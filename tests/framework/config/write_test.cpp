#include "tests/framework/config/support.h"

using namespace vitrine;

namespace {

std::string text_of(const std::string& value) { return to_flow_yaml(Node::string(value)); }

}  // namespace

TEST_CASE("plain texts stay plain, others are quoted", "[write]") {
  CHECK(text_of("vit_mnist") == "vit_mnist");
  CHECK(text_of("1 epoch") == "1 epoch");
  CHECK(text_of("/data/mnist") == "/data/mnist");
  CHECK(text_of("") == "\"\"");
  CHECK(text_of(" a") == "\" a\"");
  CHECK(text_of("a: b") == "\"a: b\"");
  CHECK(text_of("say \"hi\" \\o/") == R"("say \"hi\" \\o/")");
  CHECK(text_of("a\nb\tc\x1b") == R"("a\nb\tc\x1b")");
  CHECK(text_of("日本 😀") == "\"日本 😀\"");
  for (const char* value : {"1e3", "true", "null", "~", "yes", "Off", "n", "2026-11-22", "0777",
                            "0x1F", "12_34", ".5", "..."}) {
    CHECK(text_of(value) == '"' + std::string(value) + '"');
  }
}

TEST_CASE("hostile texts come back as they were", "[write]") {
  const std::vector<std::string> texts = {"",
                                          " ",
                                          "  leading",
                                          "trailing ",
                                          "a: b",
                                          "a:b",
                                          "a #b",
                                          "#a",
                                          "- a",
                                          "-",
                                          "?",
                                          "? a",
                                          "!tag",
                                          "&a",
                                          "*a",
                                          "@a",
                                          "`a",
                                          "%a",
                                          "|",
                                          ">",
                                          "[a",
                                          "{a}",
                                          ",",
                                          "'",
                                          "''",
                                          "\"",
                                          "\\",
                                          "\\x41",
                                          "a\\",
                                          "it's",
                                          "1e3",
                                          "0777",
                                          "-1",
                                          "+1",
                                          ".5",
                                          ".inf",
                                          "nan",
                                          "true",
                                          "NULL",
                                          "null",
                                          "~",
                                          "yes",
                                          "<<",
                                          "---",
                                          "...",
                                          "a\nb",
                                          "\n",
                                          "a\r\nb",
                                          "\t",
                                          "tab\there",
                                          "\x01\x1f\x7f",
                                          "\xc2\x85\xc2\xa0",
                                          "\xe2\x80\xa8\xe2\x80\xa9",
                                          "\xef\xbb\xbf",
                                          "\xef\xbf\xbf",
                                          "日本語",
                                          "😀",
                                          "é",
                                          "a  b",
                                          "key: [1, 2]",
                                          std::string(900, 'x') + " y"};
  Node as_values = Node::mapping(), as_items = Node::sequence({}), as_keys = Node::mapping();
  for (size_t i = 0; i < texts.size(); ++i) {
    as_values.set("k" + std::to_string(i), Node::string(texts[i]));
    as_items.children.push_back(Node::string(texts[i]));
    if (!texts[i].empty()) as_keys.set(texts[i], Node::plain("1"));
  }
  Node all = Node::mapping();
  all.set("values", as_values);
  all.set("items", as_items);
  all.set("keys", as_keys);
  const Node back = parse_yaml(to_yaml(all), "a.yaml");
  CHECK(back.json() == all.json());
  for (size_t i = 0; i < texts.size(); ++i) {
    INFO(i << ": " << escape(texts[i]));
    const Node& value = back.find("values")->children[i];
    CHECK(value.kind == Node::Kind::kScalar);
    CHECK(value.scalar == texts[i]);
    CHECK(value.json().is_string());
  }
}

TEST_CASE("texts that were written without quotes come back as well", "[write]") {
  const Node config = parse_yaml("b: two\n  lines\nc: a:b\nd: 0777\ne: 1_000\nf: .inf\n", "a.yaml");
  CHECK(to_yaml(config) == "b: two lines\nc: \"a:b\"\nd: \"0777\"\ne: 1_000\nf: .inf\n");
  CHECK(parse_yaml(to_yaml(config), "a.yaml").json() == config.json());
  // What a carriage return within a text is differs between versions of yaml-cpp.
  const Node odd = parse_yaml("a: x\r\ry\n", "a.yaml");
  CHECK(parse_yaml(to_yaml(odd), "a.yaml").json() == odd.json());
  const bool is_kept = odd.find("a")->scalar == "x\r\ry";
  CHECK(to_yaml(odd) == (is_kept ? "a: \"x\\r\\ry\"\n" : "a: \"x\\ny\"\n"));
}

TEST_CASE("structures come back as they were", "[write]") {
  const char* const json = R"({"a":{"b":{"c":[]},"d":{}},"e":[[1,2],[[3]],{"f":null,)"
                           R"("g":[{"h":true},[{"i":0.5}]]}],"j":-7,"k":[{}]})";
  const Node tree = Node::from_json(nlohmann::ordered_json::parse(json));
  CHECK(to_yaml(tree) ==
        "a:\n  b:\n    c: []\n  d: {}\ne:\n  - [1, 2]\n  -\n    - [3]\n  - f: null\n    g:\n      "
        "- h: true\n      -\n        - i: 0.5\n"
        "j: -7\nk:\n  - {}\n");
  CHECK(parse_yaml(to_yaml(tree), "a.yaml").json().dump() == json);
  CHECK(parse_yaml("x: " + to_flow_yaml(tree), "a.yaml").find("x")->json().dump() == json);
}

TEST_CASE("remarks stand behind values", "[write]") {
  const Node config =
      parse_yaml("name: x\nmodel: {n_blocks: 2, sizes: [1, 2]}\nlist: [{a: 1}]", "a.yaml");
  const std::string text = to_commented_yaml(
      config, [](const std::string& path) { return path == "name" ? "" : "from " + path; });
  CHECK(text ==
        "name: x\nmodel:\n  n_blocks: 2  # from model.n_blocks\n  sizes: [1, 2]  # from "
        "model.sizes\nlist:\n"
        "  - a: 1  # from list.0.a\n");
  CHECK(parse_yaml(text, "a.yaml").json() == config.json());
}
