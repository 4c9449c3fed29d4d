#include "framework/config/problems.h"

#include "tests/framework/config/support.h"

using namespace vitrine;

namespace {

Location place(std::vector<std::string> lines, int line, int column,
               const std::string& name = "a.yaml") {
  return {std::make_shared<const Source>(Source{name, std::move(lines)}), line, column};
}

std::string shown(const Location& where, const std::string& hint = "") {
  Problems problems;
  problems.add(where, "wrong", hint);
  return problems.text("config.yaml");
}

}  // namespace

TEST_CASE("a problem is a header, the line and a caret with the hint", "[problems]") {
  CHECK(shown(place({"seed: x"}, 0, 6), "a whole number") ==
        "a.yaml:1:7: wrong\n"
        "    1 | seed: x\n"
        "      |       ^ a whole number");
  CHECK(shown(place({"", "", "x"}, 2, 0)) == "a.yaml:3:1: wrong\n    3 | x\n      | ^");
  CHECK(shown(place({"a"}, 5, 3), "hint") ==
        "a.yaml:6:1: wrong\n      | hint");  // behind the last line
  CHECK(shown(Location(), "one of a, b") == "config.yaml: wrong\n      one of a, b");
  CHECK(shown(Location()) == "config.yaml: wrong");
}

TEST_CASE("the caret counts letters as they are shown", "[problems]") {
  CHECK(shown(place({"näme: é, x"}, 0, 11)) ==
        "a.yaml:1:10: wrong\n"
        "    1 | näme: é, x\n"
        "      |          ^");
  CHECK(shown(place({"a\tb: \x1b[0mx"}, 0, 9)) ==
        "a.yaml:1:10: wrong\n"
        "    1 | a\\tb: \\x1b[0mx\n"
        "      |              ^");
}

TEST_CASE("of a long line a window of 100 letters is shown", "[problems]") {
  std::string line;
  for (int i = 0; i < 30; ++i) line += "0123456789";
  CHECK(shown(place({line}, 0, 40)) == "a.yaml:1:41: wrong\n    1 | " + line.substr(0, 100) +
                                           "\n      | " + std::string(40, ' ') + "^");
  CHECK(shown(place({line}, 0, 205)) == "a.yaml:1:206: wrong\n    1 | " + line.substr(130, 100) +
                                            "\n      | " + std::string(75, ' ') + "^");
  std::string accents;
  for (int i = 0; i < 200; ++i) accents += "é";
  CHECK(shown(place({accents + "x"}, 0, 400)) == "a.yaml:1:201: wrong\n    1 | " +
                                                     accents.substr(0, 150) + "x\n      | " +
                                                     std::string(75, ' ') + "^");
}

TEST_CASE("problems are sorted by their places", "[problems]") {
  const auto file = std::make_shared<const Source>(Source{"a.yaml", {"one", "two"}});
  Problems problems;
  problems.add({file, 1, 1}, "third");
  problems.add({file, 0, 2}, "second");
  problems.add({}, "first");
  problems.add({file, 0, 2}, "second as well");
  CHECK(problems.size() == 4);
  CHECK(problems.text("a.yaml") ==
        "a.yaml: first\n"
        "a.yaml:1:3: second\n"
        "    1 | one\n"
        "      |   ^\n"
        "a.yaml:1:3: second as well\n"
        "    1 | one\n"
        "      |   ^\n"
        "a.yaml:2:2: third\n"
        "    2 | two\n"
        "      |  ^");
}

TEST_CASE("of very many problems a hundred are shown", "[problems]") {
  Problems problems;
  for (int i = 0; i < 50'000; ++i) problems.add({}, "wrong");
  const std::string text = problems.text("a.yaml");
  CHECK(std::count(text.begin(), text.end(), '\n') == 100);
  CHECK(text.ends_with("\na.yaml: 49900 problems more"));
}

TEST_CASE("a value is shown short, whole letters only", "[problems]") {
  CHECK(Node::plain("fast").shown() == "\"fast\"");
  CHECK(Node::plain("8").shown() == "8");
  CHECK(Node::string("8").shown() == "\"8\"");
  CHECK(Node::null().shown() == "nothing");
  CHECK(Node::sequence({}).shown() == "a list");
  CHECK(Node::mapping().shown() == "a mapping");
  CHECK(Node::plain("a\x1b"
                    "b")
            .shown() == "\"a\\x1bb\"");
  std::string accents, shortened;
  for (int i = 0; i < 70; ++i) accents += "é";
  for (int i = 0; i < 57; ++i) shortened += "é";
  CHECK(Node::plain("x" + accents).shown() == "\"x" + shortened.substr(2) + "...\"");
}
