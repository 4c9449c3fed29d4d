#include "framework/files/idx.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine {
namespace {

void check(std::string_view bytes) {
  const IdxArray array = parse_idx(bytes, "fuzz");
  size_t count = 1;
  for (const int64_t size : array.shape) count *= static_cast<size_t>(size);
  require(count == array.bytes.size());
  require(bytes.ends_with(array.bytes));
}

}  // namespace
}  // namespace vitrine

VITRINE_FUZZ_TARGET(vitrine::check);
