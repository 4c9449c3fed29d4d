#include "framework/files/wire_format.h"

#include "tests/catch.h"

namespace vitrine {
namespace {

using namespace std::string_literals;

TEST_CASE("fields are written as protocol buffers have them") {
  WireMessage inner;
  inner.integer(1, 150);
  CHECK(inner.text() == "\x08\x96\x01"s);
  WireMessage outer;
  outer.bytes(2, "testing").message(3, inner);
  CHECK(outer.text() == "\x12\x07testing\x1A\x03\x08\x96\x01"s);
  WireMessage numbers;
  numbers.real(1, 1.5).single(2, 0.5F).integer(16, -1).reals(6, {1, -2});
  CHECK(numbers.text() ==
        "\x09\0\0\0\0\0\0\xF8\x3F"
        "\x15\0\0\0\x3F"
        "\x80\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"
        "\x32\x10\0\0\0\0\0\0\xF0\x3F\0\0\0\0\0\0\0\xC0"s);
}

TEST_CASE("fields are read back, and none of a message that is not whole") {
  WireMessage message;
  message.integer(2, 300).real(1, -2.5).single(3, 4).bytes(5, "text");
  const auto fields = wire_fields(message.text());
  REQUIRE(fields);
  REQUIRE(fields->size() == 4);
  CHECK((*fields)[0].number == 2);
  CHECK((*fields)[0].integer == 300);
  CHECK((*fields)[1].real() == -2.5);
  CHECK((*fields)[2].single() == 4);
  CHECK((*fields)[3].bytes == "text");
  CHECK(wire_fields("")->empty());
  const std::string text = message.text();
  for (size_t length = 1; length < text.size(); ++length) {
    const auto part = wire_fields(std::string_view(text).substr(0, length));
    if (part) CHECK(part->size() < 4);
  }
  CHECK_FALSE(wire_fields("\x0B"));                                          // a group
  CHECK_FALSE(wire_fields("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"));  // a number without end
  CHECK_FALSE(wire_fields("\x0A\x05xy"));
}

}  // namespace
}  // namespace vitrine
