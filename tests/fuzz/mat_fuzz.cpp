#include "framework/files/mat.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine {
namespace {

constexpr uint64_t kLimit = 1 << 16;

void check(std::string_view bytes) {
  const MatArray array = read_mat(bytes, "y", kLimit, "fuzz");
  uint64_t count = 1;
  for (const int64_t each : array.shape) count *= static_cast<uint64_t>(each);
  require(count * static_cast<uint64_t>(array.item()) == array.bytes.size());
  require(mat_numbers(array, "fuzz").size() == count);
}

}  // namespace
}  // namespace vitrine

VITRINE_FUZZ_TARGET(vitrine::check);
