#include "framework/files/json.h"

#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

std::string failure(const std::string& text) {
  return message_of(ExitCode::kData, [&] { parse_json(text, "m.json"); });
}

std::string repeat(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST_CASE("parse_json reads every kind of value") {
  const std::string text = R"({"a":[1,-2,3.5,1e3,true,false,null,"\u00e9\n"],)"
                           R"("b":{"c":{},"d":[]},"e":18446744073709551615})";
  CHECK(parse_json(text, "m.json").dump() == R"({"a":[1,-2,3.5,1000.0,true,false,null,"é\n"],)"
                                             R"("b":{"c":{},"d":[]},"e":18446744073709551615})");
  CHECK(parse_json(" 7 ", "m.json") == 7);
  CHECK(parse_json("[[1,[2]],{\"x\":[{\"x\":3}]}]", "m.json").dump() ==
        "[[1,[2]],{\"x\":[{\"x\":3}]}]");
}

TEST_CASE("parse_json says what it found and where") {
  CHECK(failure("") == "m.json: invalid JSON at byte 1: unexpected end");
  CHECK(failure("{\"a\": [1, 2}") == "m.json: invalid JSON at byte 12: unexpected \"}\"");
  CHECK(failure("{\"a\": 1") == "m.json: invalid JSON at byte 8: unexpected end");
  CHECK(failure("{} {}") == "m.json: invalid JSON at byte 4: unexpected \"{}\"");
  CHECK(failure("[1,]") == "m.json: invalid JSON at byte 4: unexpected \"]\"");
  CHECK(failure("[1 " + std::string(30, 'x')) ==
        "m.json: invalid JSON at byte 4: unexpected \"xxxxxxxxxxxxxxxxxxxx\"...");
  CHECK(failure("{'a': 1}") == "m.json: invalid JSON at byte 2: unexpected \"'a': 1}\"");
  CHECK(failure("// no\n1") == "m.json: invalid JSON at byte 1: unexpected \"// no\\n1\"");
  CHECK(failure("[\"\x1b[2J\"]") == "m.json: invalid JSON at byte 3: unexpected \"\\x1b[2J\"]\"");
}

TEST_CASE("parse_json refuses what is not a finite number") {
  CHECK(failure("NaN") == "m.json: invalid JSON at byte 1: unexpected \"NaN\"");
  CHECK(failure("[Infinity]") == "m.json: invalid JSON at byte 2: unexpected \"Infinity]\"");
  CHECK(failure("[-Infinity]") == "m.json: invalid JSON at byte 3: unexpected \"Infinity]\"");
  CHECK(failure("[1e999]") == "m.json: invalid JSON at byte 6: number out of range \"1e999\"");
}

TEST_CASE("parse_json refuses duplicate keys at every level") {
  CHECK(failure(R"({"a":1,"a":2})") == "m.json: invalid JSON at byte 10: duplicate key \"a\"");
  CHECK(failure(R"([{"x":{"a":1,"\u0061":[]}}])") ==
        "m.json: invalid JSON at byte 21: duplicate key \"a\"");
  CHECK(parse_json(R"([{"a":1},{"a":{"a":2}}])", "m.json").size() == 2);
}

TEST_CASE("parse_json refuses text that is not UTF-8") {
  CHECK(failure("{\"\xff\":1}") == "m.json: invalid JSON at byte 3: text that is not UTF-8");
  CHECK(failure("\"\xc3(\"") == "m.json: invalid JSON at byte 3: text that is not UTF-8");
}

TEST_CASE("parse_json reads 64 levels and no more") {
  CHECK(parse_json(repeat("[", 64) + repeat("]", 64), "m.json").is_array());
  CHECK(failure(repeat("[", 65) + repeat("]", 65)) ==
        "m.json: invalid JSON at byte 65: nested deeper than 64 levels");
  CHECK(failure(repeat("{\"a\":", 100'000)) ==
        "m.json: invalid JSON at byte 321: nested deeper than 64 levels");
}

TEST_CASE("json_integer takes integers in the range only") {
  CHECK(json_integer(5, "step", 0, 5) == 5);
  CHECK(json_integer(INT64_MIN, "step") == INT64_MIN);
  const auto message = [](const nlohmann::json& value) {
    return message_of(ExitCode::kData, [&] { json_integer(value, "step", 0, 5); });
  };
  CHECK(message(-1) == "step: expected an integer from 0 to 5, got -1");
  CHECK(message(6) == "step: expected an integer from 0 to 5, got 6");
  CHECK(message(1.9) == "step: expected an integer from 0 to 5, got 1.9");
  CHECK(message("3") == "step: expected an integer from 0 to 5, got \"3\"");
  CHECK(message(true) == "step: expected an integer from 0 to 5, got true");
  CHECK(message(nlohmann::json::array()) == "step: expected an integer from 0 to 5, got an array");
  CHECK(message_of(ExitCode::kData, [] { json_integer(UINT64_MAX, "n", 0); }) ==
        "n: expected an integer of at least 0, got 18446744073709551615");
  CHECK(message_of(ExitCode::kData, [] { json_integer(nullptr, "n"); }) ==
        "n: expected an integer, got null");
}

TEST_CASE("json_number, json_string and json_member say what is missing") {
  const nlohmann::json object{{"a", 1}, {"b", "x"}};
  CHECK(json_number(json_member(object, "a", "m"), "m.a") == 1.0);
  CHECK(json_string(json_member(object, "b", "m"), "m.b") == "x");
  CHECK(message_of(ExitCode::kData, [&] { json_number(object["b"], "m.b"); }) ==
        "m.b: expected a number, got \"x\"");
  CHECK(message_of(ExitCode::kData, [&] { json_string(object, "m"); }) ==
        "m: expected a string, got an object");
  CHECK(message_of(ExitCode::kData, [&] { json_member(object, "c", "m"); }) ==
        "m: \"c\" is missing");
  CHECK(message_of(ExitCode::kData, [&] { json_member(1, "c", "m"); }) ==
        "m: expected an object, got 1");
}

}  // namespace
}  // namespace vitrine
