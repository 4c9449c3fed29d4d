#include "framework/files/npz.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine {
namespace {

// Arrays are looked at in turn, so that one that is damaged hides no other.
void check(std::string_view bytes) {
  const NpzFile file(ZipFile(bytes, "fuzz"), "fuzz");
  for (size_t i = 0; i < file.names().size(); ++i) {
    try {
      const NpyHeader header = file.header(i);
      const NpyArray array = file.read(i);
      require(array.header.shape == header.shape);
      require(array.header.offset <= array.bytes.size());
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace vitrine

VITRINE_FUZZ_TARGET(vitrine::check);
