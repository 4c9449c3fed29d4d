#include "framework/files/safetensors.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine {
namespace {

// Views are inside the file, one after the other, and survive being written and read again.
void check(std::string_view bytes) {
  const Safetensors file = Safetensors::parse(std::string(bytes), "fuzz");
  size_t total = 0;
  for (const TensorView& tensor : file.tensors()) {
    require(file.find(tensor.name) == &tensor);
    total += tensor.bytes.size();
    for (const char byte : tensor.bytes) {
      [[maybe_unused]] volatile char touched = byte;
    }
  }
  require(total <= bytes.size());
  const std::string written = write_safetensors(file.tensors(), file.metadata());
  const Safetensors again = Safetensors::parse(written, "fuzz");
  require(again.metadata() == file.metadata());
  require(again.tensors().size() == file.tensors().size());
  for (const TensorView& tensor : file.tensors()) {
    const TensorView* other = again.find(tensor.name);
    require(other && other->bytes == tensor.bytes && other->shape == tensor.shape);
  }
}

}  // namespace
}  // namespace vitrine

VITRINE_FUZZ_TARGET(vitrine::check);
