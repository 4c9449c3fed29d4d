#include "framework/files/npy.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine {
namespace {

void check(std::string_view bytes) {
  const NpyArray array = parse_npy(std::string(bytes), "fuzz");
  const NpyHeader& header = array.header;
  uint64_t size = static_cast<uint64_t>(header.item);
  for (const int64_t each : header.shape) size *= static_cast<uint64_t>(each);
  require(size == array.bytes.size() - header.offset);
  require(size <= bytes.size());
  require(!header.is_fortran && !header.is_big_endian);
  require(!header.type().empty());
}

}  // namespace
}  // namespace vitrine

VITRINE_FUZZ_TARGET(vitrine::check);
