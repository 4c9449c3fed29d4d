#include "framework/config/yaml.h"

#include "tests/framework/config/support.h"

using namespace vitrine;

namespace {

std::string nested_lists(size_t depth) {
  return "a: " + std::string(depth, '[') + std::string(depth, ']');
}

}  // namespace

TEST_CASE("every value has its place", "[yaml]") {
  const Node config = parse_yaml(
      "name: x\nmodel:\n  mlp: {type: gelu, ratio: 8}\n  tasks:\n    - name: class\n", "a.yaml");
  CHECK(config.at_path("name")->location.text() == "a.yaml:1:7");
  CHECK(config.at_path("model.mlp.ratio")->location.text() == "a.yaml:3:28");
  CHECK(config.at_path("model.mlp.ratio")->key_location.text() == "a.yaml:3:21");
  CHECK(config.at_path("model.tasks.0.name")->scalar == "class");
  CHECK(config.at_path("model.tasks.0.name")->location.text() == "a.yaml:5:13");
  CHECK(config.at_path("model.tasks.1") == nullptr);
  CHECK(config.at_path("model.tasks.-1") == nullptr);
  CHECK(config.at_path("name.x") == nullptr);
}

TEST_CASE("places count letters, not bytes", "[yaml]") {
  const Node config = parse_yaml("{ä: née, b: 1}", "ä.yaml");
  CHECK(config.at_path("b")->location.text() == "ä.yaml:1:13");
}

TEST_CASE("a value that is missing is placed at its key", "[yaml]") {
  const Node config = parse_yaml("optimizer:\n  lr:\nname: x\n", "a.yaml");
  CHECK(config.at_path("optimizer.lr")->kind == Node::Kind::kNull);
  CHECK(config.at_path("optimizer.lr")->location.text() == "a.yaml:2:3");
}

TEST_CASE("quotes keep a scalar a text", "[yaml]") {
  const Node config =
      parse_yaml("a: 'true'\nb: true\nc: \"null\"\nd: null\ne: ''\nf: |-\n  1\n", "a.yaml");
  CHECK(config.json().dump() == R"({"a":"true","b":true,"c":"null","d":null,"e":"","f":"1"})");
}

TEST_CASE("an empty file is an empty mapping; Windows line ends and a byte order mark are fine",
          "[yaml]") {
  CHECK(parse_yaml("", "a.yaml").json().dump() == "{}");
  CHECK(parse_yaml("# nothing\n", "a.yaml").json().dump() == "{}");
  const Node config = parse_yaml(
      "\xEF\xBB\xBF"
      "a: 1\r\nb: 2\r\n",
      "a.yaml");
  CHECK(config.json().dump() == R"({"a":1,"b":2})");
  CHECK(config.find("a")->key_location.text() == "a.yaml:1:1");
}

TEST_CASE("aliases repeat a value, with the place where it was written", "[yaml]") {
  const Node config = parse_yaml("a: &x {n: 1}\nb: *x\nc: [*x, *x]\n", "a.yaml");
  CHECK(config.json().dump() == R"({"a":{"n":1},"b":{"n":1},"c":[{"n":1},{"n":1}]})");
  CHECK(config.at_path("b.n")->location.text() == "a.yaml:1:11");
}

TEST_CASE("duplicate keys are refused with both places", "[yaml]") {
  CHECK(refusal("training:\n  epochs: 5\n  batch_size: 128\n  epochs: 10\n") ==
        "a.yaml:4:3: the key \"epochs\" stands here a second time\n"
        "    4 |   epochs: 10\n"
        "      |   ^ first at a.yaml:2:3");
  CHECK(refusal("{a: 1, 'a': 2}") ==
        "a.yaml:1:8: the key \"a\" stands here a second time\n"
        "    1 | {a: 1, 'a': 2}\n"
        "      |        ^ first at a.yaml:1:2");
}

TEST_CASE("many keys are looked up fast, and so are duplicates among them", "[yaml]") {
  std::string text;
  for (int i = 0; i < 45'000; ++i) text += "k" + std::to_string(i) + ": 1\n";
  CHECK(parse_yaml(text, "a.yaml").children.size() == 45'000);
  CHECK(refusal(text + "k7: 1\n") ==
        "a.yaml:45001:1: the key \"k7\" stands here a second time\n"
        "45001 | k7: 1\n"
        "      | ^ first at a.yaml:8:1");
}

TEST_CASE("alias bombs, cycles and merge keys are refused", "[yaml]") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i <= 9; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += (k ? ", " : "") + before;
    bomb += "]\n";
  }
  CHECK(refusal(bomb) ==
        "a.yaml:5:40: more than 100000 values, counting what anchors and aliases repeat\n"
        "    5 | a4: &a4 [*a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3]\n"
        "      |                                        ^");
  CHECK(refusal("a: &x [1, *x]\n") ==
        "a.yaml:1:11: this alias stands inside the value that it repeats\n"
        "    1 | a: &x [1, *x]\n"
        "      |           ^");
  CHECK(refusal("a: *nothing\n") ==
        "a.yaml:1:4: this is not YAML: the referenced anchor is not defined\n"
        "    1 | a: *nothing\n"
        "      |    ^");
  CHECK(refusal("a: &x {n: 1}\nb:\n  <<: *x\n") ==
        "a.yaml:3:3: merge keys (<<) are not supported\n"
        "    3 |   <<: *x\n"
        "      |   ^ base: FILE inherits from another file");
}

TEST_CASE("anchors within anchors cannot fill the memory", "[yaml]") {
  std::string text = "a: ";
  for (int i = 0; i < 60; ++i) text += "&a" + std::to_string(i) + " [";
  for (int i = 0; i < 45'000; ++i) text += i ? ",1" : "1";
  CHECK(refusal(text + std::string(60, ']'))
            .starts_with("a.yaml:1:1: more than 100000 values, counting what anchors"));
}

TEST_CASE("64 levels are enough", "[yaml]") {
  CHECK(parse_yaml(nested_lists(63), "a.yaml").is_mapping());
  CHECK(refusal(nested_lists(64)) ==
        "a.yaml:1:67: nested deeper than 64 levels\n"
        "    1 | " +
            nested_lists(64).substr(0, 100) + "\n" + "      | " + std::string(66, ' ') + "^");
  CHECK(refusal(nested_lists(400'000)).starts_with("a.yaml:1:67: nested deeper than 64 levels\n"));
}

TEST_CASE("keys are plain names", "[yaml]") {
  CHECK(refusal("? [a, b]\n: 1\n") ==
        "a.yaml:1:3: a key must be a plain name\n"
        "    1 | ? [a, b]\n"
        "      |   ^ write it as key: value");
  CHECK(refusal("? {a: 1}\n: 1\n").starts_with("a.yaml:1:3: a key must be a plain name\n"));
  CHECK(refusal("~: 1\n").starts_with("a.yaml:1:1: a key must be a plain name\n"));
}

TEST_CASE("tags and escapes that stand for no letter are refused", "[yaml]") {
  CHECK(refusal("seed: !!str 1\n") ==
        "a.yaml:1:7: the tag tag:yaml.org,2002:str has no meaning in a config\n"
        "    1 | seed: !!str 1\n"
        "      |       ^ write the value alone");
  CHECK(refusal("a: !python/object:os.system [ls]\n")
            .starts_with("a.yaml:1:4: the tag !python/object:os.system has no meaning"));
  CHECK(refusal("a: \"x\\0\"\n") ==
        "a.yaml:1:4: an escape in this text stands for no letter\n"
        "    1 | a: \"x\\0\"\n"
        "      |    ^");
}

TEST_CASE("one document a file", "[yaml]") {
  CHECK(parse_yaml("---\na: 1\n", "a.yaml").json().dump() == R"({"a":1})");
  CHECK(refusal("a: 1\n---\nb: 2\n") ==
        "a.yaml:3:1: a second document starts here; a config is one document\n"
        "    3 | b: 2\n"
        "      | ^");
  CHECK(refusal("  name: x\nseed: 1\n") ==
        "a.yaml:2:1: this does not belong to what stands above\n"
        "    2 | seed: 1\n"
        "      | ^ check the indentation");
}

TEST_CASE("what is not YAML is explained", "[yaml]") {
  CHECK(refusal("name: x\nlr:0.1\nseed: 1\n") ==
        "a.yaml:3:5: this is not YAML: a colon where none can stand\n"
        "    3 | seed: 1\n"
        "      |     ^ check the indentation; a colon needs a space behind it, a text with \": \" "
        "needs quotes");
  CHECK(refusal("training:\n\tepochs: 5\n") ==
        "a.yaml:2:8: this is not YAML: a tab in the indentation\n"
        "    2 | \\tepochs: 5\n"
        "      |         ^ indent with spaces");
  CHECK(refusal("tags: [a, b\nseed: 1\n") ==
        "a.yaml:1:7: this is not YAML: the bracket [ is not closed\n"
        "    1 | tags: [a, b\n"
        "      |       ^");
  CHECK(refusal("optimizer: {type: adam, lr: 1\n") ==
        "a.yaml:1:12: this is not YAML: the bracket { is not closed\n"
        "    1 | optimizer: {type: adam, lr: 1\n"
        "      |            ^");
  for (const char* quote : {"\"", "'"}) {
    CHECK(refusal("note: " + std::string(quote) + "abc\nseed: 1\n") ==
          "a.yaml:1:7: this is not YAML: a quote is not closed\n"
          "    1 | note: " +
              std::string(quote) + "abc\n" + "      |       ^");
  }
  CHECK(refusal("name: x\nnote: 'it\nseed: 1")
            .starts_with("a.yaml:2:7: this is not YAML: a quote is not closed\n"));
  CHECK(refusal("note: &x \"ab\\\"c\n\n")
            .starts_with("a.yaml:1:7: this is not YAML: a quote is not closed\n"));
  CHECK(parse_yaml("{a: &x 'it''s', 'b': \"\\\"\\\\\", c: ''''}", "a.yaml").json().dump() ==
        R"({"a":"it's","b":"\"\\","c":"'"})");
  CHECK(refusal("note: @home\n") ==
        "a.yaml:1:7: this is not YAML: a letter that begins no value\n"
        "    1 | note: @home\n"
        "      |       ^ a text that begins with @, ` or % needs quotes");
}

TEST_CASE("files that are no text are refused", "[yaml]") {
  CHECK(refusal(std::string("a: 1\0b", 6)) == "a.yaml: holds a NUL byte; this is not a text file");
  CHECK(refusal("a: 1\nname: caf\xe9\n") ==
        "a.yaml:2:1: not valid UTF-8\n"
        "    2 | name: caf\\xe9\n"
        "      | ^ save the file as UTF-8 text");
  CHECK(refusal("a: x\x04\nb: 2\n") ==
        "a.yaml:1:5: a control character\n"
        "    1 | a: x\\x04\n"
        "      |     ^ in a quoted text it is written as an escape such as \"\\x1b\"");
}

TEST_CASE("files are read from disk", "[yaml]") {
  const TemporaryFolder folder;
  const auto refused = [&](const std::filesystem::path& file) {
    return message_of(ExitCode::kUsage, [&] { read_yaml(file); });
  };
  write_plain(folder / "vit_mnist.yaml", "seed: 1\n");
  CHECK(read_yaml(folder / "vit_mnist.yaml").json().dump() == R"({"seed":1})");
  CHECK(refused(folder / "vit_mnst.yaml") ==
        (folder / "vit_mnst.yaml").string() + ": no such file; did you mean vit_mnist.yaml?");
  CHECK(refused(folder / "other.yaml") == (folder / "other.yaml").string() + ": no such file");
  CHECK(refused(folder / "none/other.yaml") ==
        (folder / "none/other.yaml").string() + ": no such file");
  CHECK(refused(folder / "vit_mnist.yaml/x") ==
        (folder / "vit_mnist.yaml/x").string() + ": cannot be read: Not a directory");
  CHECK(refused(folder.path()) == folder.path().string() + ": is a folder, not a config file");
  write_plain(folder / "big.yaml", "a: " + std::string(2 << 20, 'x'));
  CHECK(refused(folder / "big.yaml") ==
        (folder / "big.yaml").string() + ": larger than 1 MiB, the most that a config may have");
  write_plain(folder / "full.yaml", "a: " + std::string((1 << 20) - 3, 'x'));
  CHECK(read_yaml(folder / "full.yaml").find("a")->scalar.size() == (1 << 20) - 3);
}

TEST_CASE("names of files are escaped", "[yaml]") {
  CHECK(message_of(ExitCode::kUsage, [] {
          parse_yaml("a: [", "\x1b[31m.yaml");
        }).starts_with("\\x1b[31m.yaml:1:4: "));
  CHECK(message_of(ExitCode::kUsage, [] { read_yaml("/no\nsuch.yaml"); }) ==
        "/no\\nsuch.yaml: no such file");
}
