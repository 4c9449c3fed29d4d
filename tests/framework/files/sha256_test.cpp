#include "framework/files/sha256.h"

#include "tests/catch.h"

namespace vitrine {
namespace {

// The examples of FIPS 180-2, appendix B.
constexpr const char* kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* kMillion = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST_CASE("sha256_hex gives the standard's digests") {
  CHECK(sha256_hex("") == kEmpty);
  CHECK(sha256_hex("abc") == kAbc);
  CHECK(sha256_hex(std::string(1'000'000, 'a')) == kMillion);
}

TEST_CASE("Sha256 over pieces equals the whole, and goes on after a digest") {
  Sha256 hash;
  CHECK(hash.hex() == kEmpty);
  hash.update("a");
  hash.update("");
  hash.update("bc");
  CHECK(hash.hex() == kAbc);
  CHECK(hash.hex() == kAbc);
  Sha256 moved = std::move(hash);
  moved.update("d");
  CHECK(moved.hex() == sha256_hex("abcd"));
}

}  // namespace
}  // namespace vitrine
