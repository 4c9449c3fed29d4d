#include "framework/files/bzip2.h"

#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

// printf hello | bzip2
const std::string kHello(
    "BZh91AY&SY\x19\x31\x65\x3d\x00\x00\x00\x81\x00\x02\x44\xa0\x00\x21\x9a\x68\x33\x4d\x07\x33\x8b"
    "\xb9\x22\x9c\x28\x48\x0c\x98\xb2\x9e\x80",
    41);

std::string failure(const std::string& bytes, uint64_t limit = 1000) {
  return message_of(ExitCode::kData, [&] { bunzip2(bytes, limit, "a.bz2"); });
}

TEST_CASE("bunzip2 reads what bzip2(1) writes, and joins streams") {
  CHECK(is_bzip2(kHello));
  CHECK(bunzip2(kHello, 5, "a.bz2") == "hello");
  CHECK(bunzip2(kHello + kHello, 10, "a.bz2") == "hellohello");
}

TEST_CASE("bunzip2 refuses damaged data, each fault in its own words") {
  CHECK(failure("PK") == "a.bz2: not bzip2 data: it does not begin with BZh");
  for (size_t length = 3; length < kHello.size(); ++length)
    CHECK(failure(kHello.substr(0, length)) == "a.bz2: bzip2 data is truncated");
  CHECK(failure(kHello + "xyz") == "a.bz2: 3 bytes after the end of the bzip2 data");
  std::string damaged = kHello;
  damaged[12] ^= 1;
  CHECK(failure(damaged) == "a.bz2: bzip2 data is corrupt");
  CHECK(failure(kHello, 4) == "a.bz2: grows to more than the 4 bytes allowed");
}

}  // namespace
}  // namespace vitrine
