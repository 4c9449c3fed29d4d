#include "framework/files/bzip2.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine {
namespace {

constexpr uint64_t kLimit = 1 << 16;

void check(std::string_view bytes) { require(bunzip2(bytes, kLimit, "fuzz").size() <= kLimit); }

}  // namespace
}  // namespace vitrine

VITRINE_FUZZ_TARGET(vitrine::check);
