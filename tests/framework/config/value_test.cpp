#include "framework/config/value.h"

#include "tests/framework/config/support.h"

using namespace vitrine;

namespace {

std::shared_ptr<const Source> argument(const std::string& text) {
  return std::make_shared<const Source>(Source{"command line", {"note=" + text}});
}

std::string read(const std::string& text) {
  return parse_value(text, argument(text), 5, "note").json().dump();
}

std::string refused(const std::string& text) {
  return message_of(ExitCode::kUsage, [&] { read(text); });
}

}  // namespace

TEST_CASE("a value is stored whole, as the word of a shell that it is", "[value]") {
  CHECK(read("see #42") == R"("see #42")");
  CHECK(read("#1") == R"("#1")");
  CHECK(read("a: b") == R"("a: b")");
  CHECK(read("- x") == R"("- x")");
  CHECK(read("? x") == R"("? x")");
  CHECK(read("key: [1, 2]  # why") == R"("key: [1, 2]  # why")");
  CHECK(read("@me, 50 % | `x` > y") == R"("@me, 50 % | `x` > y")");
  CHECK(read("it's \"so\"") == R"("it's \"so\"")");
  CHECK(read("two\nlines #2") == R"("two\nlines #2")");
  CHECK(read("C:\\data\\x") == R"("C:\\data\\x")");
}

TEST_CASE("numbers, booleans and nothing are read as in a file", "[value]") {
  CHECK(read("5") == "5");
  CHECK(read(" 1e-3 ") == "0.001");
  CHECK(read("true") == "true");
  CHECK(read("null") == "null");
  CHECK(read("~") == "null");
  CHECK(read("") == "null");
  CHECK(read("yes") == R"("yes")");
  CHECK(read("0777") == R"("0777")");
}

TEST_CASE("in brackets and quotes a value is YAML without comments", "[value]") {
  CHECK(read("[a, b]") == R"(["a","b"])");
  CHECK(read("[a #1, #2, b#3]") == R"(["a #1","#2","b#3"])");
  CHECK(read("{a: x #1, b: ['#2', \"#3\"]}") == R"({"a":"x #1","b":["#2","#3"]})");
  CHECK(read("{a #1: 1}") == R"({"a #1":1})");
  CHECK(read("[\n1,\n2]") == "[1,2]");
  CHECK(read("\"#1\"") == R"("#1")");
  CHECK(read("'5'") == R"("5")");
  CHECK(read("'it''s, so'") == R"("it's, so")");
  CHECK(read("\"a \\\" b\"") == R"("a \" b")");
  CHECK(read("\"null\"") == R"("null")");
}

TEST_CASE("what cannot be read as one value is refused and shown", "[value]") {
  CHECK(refused("[1, 2") ==
        "command line:1:6: note: the bracket [ is not closed\n"
        "    1 | note=[1, 2\n"
        "      |      ^");
  CHECK(refused("'it") ==
        "command line:1:6: this is not YAML: a quote is not closed\n"
        "    1 | note='it\n"
        "      |      ^");
  CHECK(
      refused("[1, 2] x") ==
      "command line:1:6: note: cannot be read as one value: [1, 2] x\n"
      "    1 | note=[1, 2] x\n"
      "      |      ^ behind the bracket that ends the value stands more; a text with such letters "
      "is put in quotes as a whole");
  CHECK(refused("\"a\" b").starts_with(
      "command line:1:6: note: cannot be read as one value: \"a\" b\n"));
  CHECK(refused("\"a\": b")
            .starts_with("command line:1:6: note: cannot be read as one value: \"a\": b\n"));
  CHECK(refused("\"a\" #b")
            .starts_with("command line:1:6: note: cannot be read as one value: \"a\" #b\n"));
  for (const std::string& text : {"&a 1", "*a", "!!int 5"}) {
    CHECK(refused(text).starts_with("command line:1:6: note: cannot be read as one value: " + text +
                                    "\n"));
  }
  CHECK(refused("*a").ends_with(
      "      |      ^ * begins an anchor, an alias or a tag of YAML; a text that begins so is put "
      "in quotes, '\"*...\"'"));
  CHECK(refused("[&a 1, *a]")
            .starts_with("command line:1:7: anchors (&) and aliases (*) have no "
                         "meaning on the command line\n"));
  for (const std::string& text : {"1\n---\n2", "--- 1", "1\n..."})
    CHECK(refused(text).starts_with("command line:1:6: note: cannot be read as one value: "));
  CHECK(refused("1\n---\n2")
            .ends_with("--- and ... part documents of YAML; such a text is put in quotes"));
  CHECK(refused(std::string("a\0b", 3)) ==
        "command line: holds a NUL byte; this is not a text file");
}
