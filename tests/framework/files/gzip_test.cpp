#include "framework/files/gzip.h"

#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

std::string failure(const std::string& bytes, uint64_t limit = 1000) {
  return message_of(ExitCode::kData, [&] { gunzip(bytes, limit, "a.gz"); });
}

// Bytes that do not compress, so that the file is longer than one chunk of the reader.
std::string noise(size_t count) {
  std::string out;
  for (uint32_t state = 1; out.size() < count;) {
    state = state * 1664525 + 1013904223;
    out += static_cast<char>(state >> 24);
  }
  return out;
}

TEST_CASE("gunzip gives back what gzip took") {
  for (const size_t size : {0, 1, 65535, 65536, 65537, 300'000}) {
    const std::string bytes = noise(size);
    CHECK(gunzip(gzip(bytes), size, "a.gz") == bytes);
  }
}

TEST_CASE("gunzip reads what gzip(1) writes") {
  // printf hello | gzip -n | od -An -tx1
  const std::string bytes(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00"
      "\x00\x00",
      25);
  CHECK(is_gzip(bytes));
  CHECK(gunzip(bytes, 5, "a.gz") == "hello");
  CHECK_FALSE(is_gzip("\x1f"));
}

TEST_CASE("gzip gives the same bytes for the same content") {
  CHECK(gzip("hello") == gzip("hello"));
  CHECK(gzip("hello").substr(4, 4) == std::string(4, '\0'));  // no time
}

TEST_CASE("gunzip joins members") {
  CHECK(gunzip(gzip("one ") + gzip("") + gzip("two"), 7, "a.gz") == "one two");
}

TEST_CASE("zeros behind the last member fill a block") {
  for (const size_t zeros : {1, 8, 512})
    CHECK(gunzip(gzip("one ") + gzip("two") + std::string(zeros, '\0'), 7, "a.gz") == "one two");
}

TEST_CASE("gunzip refuses damaged data, each fault in its own words") {
  const std::string good = gzip("hello, hello, hello");
  CHECK(failure("") == "a.gz: not gzip data: it does not begin with 1f 8b");
  CHECK(failure("PK\x03\x04") == "a.gz: not gzip data: it does not begin with 1f 8b");
  for (size_t length = 2; length < good.size(); ++length) {
    CHECK(failure(good.substr(0, length)) == "a.gz: gzip data is truncated");
  }
  CHECK(failure(good + "xyz") == "a.gz: 3 bytes after the end of the gzip data");
  CHECK(failure(good + std::string("\0\0x", 3)) == "a.gz: 3 bytes after the end of the gzip data");
  CHECK(failure(good + "\x1f\x8b") == "a.gz: gzip data is truncated");
  std::string wrong_sum = good;
  wrong_sum[good.size() - 8] ^= 1;
  CHECK(failure(wrong_sum) == "a.gz: gzip data is corrupt (incorrect data check)");
  std::string wrong_length = good;
  wrong_length[good.size() - 4] ^= 1;
  CHECK(failure(wrong_length) == "a.gz: gzip data is corrupt (incorrect length check)");
  std::string wrong_block = good;
  wrong_block[10] = '\x07';
  CHECK(failure(wrong_block) == "a.gz: gzip data is corrupt (invalid block type)");
}

TEST_CASE("gunzip stops at the limit") {
  const std::string bomb = gzip(std::string(50'000'000, '\0'));
  CHECK(bomb.size() < 50'000);
  CHECK(failure(bomb) == "a.gz: inflates to more than the 1000 bytes allowed");
  CHECK(failure(gzip("12345"), 4) == "a.gz: inflates to more than the 4 bytes allowed");
  CHECK(failure(gzip("123") + gzip("45"), 4) == "a.gz: inflates to more than the 4 bytes allowed");
  CHECK(gunzip(gzip("1234"), 4, "a.gz") == "1234");
}

}  // namespace
}  // namespace vitrine
