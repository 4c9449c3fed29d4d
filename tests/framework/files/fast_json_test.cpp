#include "framework/files/fast_json.h"

#include <fmt/format.h>

#include "tests/catch.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

TEST_CASE("sound JSON has the values and types that nlohmann's parser gives it") {
  for (
      const std::string text :
      {R"({"b": 1, "a": {"c": [true, false, null], "empty": {}, "none": []}})", "[]", "7", "\"x\"",
       R"([0, -1, 9223372036854775807, -9223372036854775808, 9223372036854775808, 18446744073709551615])",
       "[0.1, 1e-310, -0.0, 1.7976931348623157e308, 2.5E3]", R"(["\u00e9\ud83d\ude00\n\u0000"])"}) {
    INFO(text);
    const auto got = parse_sound_json(text, 100, 64);
    REQUIRE(got);
    const Json wanted = Json::parse(text);
    CHECK(got->dump() == wanted.dump());
    for (size_t i = 0; wanted.is_array() && i < wanted.size(); ++i)
      CHECK((*got)[i].type() == wanted[i].type());
  }
}

TEST_CASE("what is wrong with JSON is left to the parser that tells") {
  for (const std::string text :
       {"", "{", "[1,]", "[1] 2", R"({"a": 1, "a": 2})", "[1e400]", "[01]", "[\"\xff\"]",
        R"(["\ud800"])", R"({"a": 1, "b": 2, "c": 3})", "[[[[1]]]]"}) {
    INFO(text);
    CHECK_FALSE(parse_sound_json(text, 2, 3));
  }
  CHECK(parse_sound_json(R"({"a": 1, "b": 2})", 2, 3));
  CHECK(parse_sound_json("[[[1]]]", 2, 3));
}

}  // namespace
}  // namespace vitrine
