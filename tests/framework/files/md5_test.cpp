#include "framework/files/md5.h"

#include "tests/catch.h"

namespace vitrine {
namespace {

TEST_CASE("md5_hex gives the digests of RFC 1321") {
  CHECK(md5_hex("") == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(md5_hex("abc") == "900150983cd24fb0d6963f7d28e17f72");
}

}  // namespace
}  // namespace vitrine
