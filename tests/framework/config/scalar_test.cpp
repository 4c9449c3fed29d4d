#include "framework/config/scalar.h"

#include <cmath>

#include "tests/catch.h"

using namespace vitrine;

TEST_CASE("numbers as people write them", "[scalar]") {
  CHECK(parse_number("8") == 8.0);
  CHECK(parse_number("-3") == -3.0);
  CHECK(parse_number("+3") == 3.0);
  CHECK(parse_number("1_000") == 1000.0);
  CHECK(parse_number("0.005") == 0.005);
  CHECK(parse_number(".5") == 0.5);
  CHECK(parse_number("-.5") == -0.5);
  CHECK(parse_number("5.") == 5.0);
  CHECK(parse_number("1e-3") == 0.001);
  CHECK(parse_number("3E+4") == 30000.0);
  CHECK(parse_number("0") == 0.0);
  CHECK(parse_number("0e1") == 0.0);
  CHECK(std::isinf(parse_number("-inf").value()));
  CHECK(std::isnan(parse_number(".nan").value()));
}

TEST_CASE("what is no number", "[scalar]") {
  for (const char* text :
       {"",    "-",   "+",  ".",     "e3",    "0777",     "00",   "-01",  "0x10", "0b1",
        "0o7", "1,5", "1e", "1e400", "1__0",  "_1",       "1_",   "1_.5", "+-5",  "--5",
        "- 5", " 5",  "5 ", "1 000", "12abc", "infinity", "1:30", "५"}) {
    INFO(text);
    CHECK_FALSE(parse_number(text));
    CHECK_FALSE(parse_integer(text));
  }
}

TEST_CASE("whole numbers", "[scalar]") {
  CHECK(parse_integer("60_000") == 60000);
  CHECK(parse_integer("1e4") == 10000);
  CHECK(parse_integer("+7") == 7);
  CHECK(parse_integer("-0") == 0);
  CHECK(parse_integer("9223372036854775807") == INT64_MAX);
  CHECK(parse_integer("-9223372036854775808") == INT64_MIN);
  for (const char* text :
       {"8.0", "5.", "1.5e1", "1e-3", "9223372036854775808", "1e30", "inf", "nan"}) {
    INFO(text);
    CHECK_FALSE(parse_integer(text));
  }
}

TEST_CASE("two dots make a range of whole numbers", "[scalar]") {
  CHECK(integers_of("0..3") == std::vector<int64_t>{0, 1, 2, 3});
  CHECK(integers_of("7..7") == std::vector<int64_t>{7});
  CHECK(integers_of("-1..1") == std::vector<int64_t>{-1, 0, 1});
  for (const char* text : {"3..0", "0..", "..3", "0.5..2", "a..b", "0..3..5", "0..100000", "3"})
    CHECK_FALSE(integers_of(text));
  // Where no 64 bits count them, and where the last one is the largest that there is.
  CHECK_FALSE(integers_of("-9223372036854775807..9223372036854775807"));
  CHECK_FALSE(integers_of("-9223372036854775808..9223372036854775806"));
  CHECK(integers_of("9223372036854775806..9223372036854775807") ==
        std::vector<int64_t>{INT64_MAX - 1, INT64_MAX});
}

TEST_CASE("booleans and nothing have few spellings", "[scalar]") {
  CHECK(parse_bool("true") == true);
  CHECK(parse_bool("False") == false);
  for (const char* text : {"yes", "no", "on", "off", "y", "n", "1", "0", "tRUE", ""}) {
    INFO(text);
    CHECK_FALSE(parse_bool(text));
  }
  CHECK(is_null_word(""));
  CHECK(is_null_word("~"));
  CHECK(is_null_word("null"));
  CHECK_FALSE(is_null_word("none"));
  CHECK_FALSE(is_null_word("nil"));
}

TEST_CASE("numbers are written in the fewest digits that read back", "[scalar]") {
  CHECK(number_text(0.005) == "0.005");
  CHECK(number_text(3) == "3");
  CHECK(number_text(1e-8) == "1e-08");
  CHECK(number_text(0.1 + 0.2) == "0.30000000000000004");
  for (double value :
       {0.1, 1.0 / 3, 1e-300, 5e-324, 1.7976931348623157e308, 123456789012345680.0, -0.0}) {
    CHECK(parse_number(number_text(value)) == value);
  }
}

TEST_CASE("what people read has no sign before nothing", "[scalar]") {
  CHECK(number_text(-0.0) == "-0");
  CHECK(shown_number(-0.0) == "0");
  CHECK(shown_number(-0.5) == "-0.5");
  CHECK(fixed_text(-0.0, 4) == "0.0000");
  CHECK(fixed_text(-0.00004, 4) == "0.0000");
  CHECK(fixed_text(-0.00006, 4) == "-0.0001");
  CHECK(fixed_text(-0.4, 0) == "0");
  CHECK(fixed_text(12.345, 1) == "12.3");
  CHECK(fixed_text(-INFINITY, 2) == "-inf");
}
