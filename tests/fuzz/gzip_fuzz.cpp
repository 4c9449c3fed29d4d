#include "framework/files/gzip.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine {
namespace {

constexpr uint64_t kLimit = 1 << 16;

void check(std::string_view bytes) {
  require(gunzip(gzip(bytes), bytes.size(), "fuzz") == bytes);
  const std::string inflated = gunzip(bytes, kLimit, "fuzz");
  require(inflated.size() <= kLimit);
  require(gunzip(gzip(inflated), kLimit, "fuzz") == inflated);
}

}  // namespace
}  // namespace vitrine

VITRINE_FUZZ_TARGET(vitrine::check);
