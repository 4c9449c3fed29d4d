#include "framework/files/records.h"

#include "tests/catch.h"

namespace vitrine {
namespace {

using namespace std::string_literals;

std::string rising(int first, int step) {
  std::string out;
  for (int i = 0; i < 32; ++i) out += static_cast<char>(first + i * step);
  return out;
}

TEST_CASE("CRC-32C is that of RFC 3720, appendix B.4") {
  CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AA);
  CHECK(crc32c(std::string(32, '\xFF')) == 0x62A8AB43);
  CHECK(crc32c(rising(0, 1)) == 0x46DD794E);
  CHECK(crc32c(rising(31, -1)) == 0x113FDB5C);
  const std::string command =
      "\x01\xC0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x14\0\0\0\0\0\x04\0\0\0\0\x14\0\0\0\x18\x28\0\0\0\0\0\0"
      "\0"
      "\x02\0\0\0\0\0\0\0"s;
  CHECK(crc32c(command) == 0xD9963A56);
  CHECK(crc32c("123456789") == 0xE3069283);
  CHECK(crc32c("") == 0);
}

TEST_CASE("a record is framed by its length and two masked checksums") {
  // The checksums are those that TensorBoard computes.
  CHECK(framed_record("hello") ==
        "\x05\0\0\0\0\0\0\0\xEA\xB2\x04\x3E"s
        "hello"
        "\xBB\x1F\x1C\x19"s);
}

TEST_CASE("records are taken one by one, as long as they are whole") {
  const std::string first = framed_record("one"), second = framed_record("");
  const std::string file = first + second;
  std::string_view rest = file;
  CHECK(take_record(rest) == "one");
  CHECK(take_record(rest) == "");
  CHECK(rest.empty());
  CHECK_FALSE(take_record(rest));
  for (size_t length = 0; length < first.size(); ++length) {
    std::string_view cut = std::string_view(first).substr(0, length);
    CHECK_FALSE(take_record(cut));
    CHECK(cut.size() == length);
  }
  for (size_t i = 0; i < first.size(); ++i) {
    std::string spoilt = first;
    spoilt[i] = static_cast<char>(spoilt[i] ^ 1);
    std::string_view view = spoilt;
    CHECK_FALSE(take_record(view));
  }
}

}  // namespace
}  // namespace vitrine
