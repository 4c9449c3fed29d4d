#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "framework/files/place.h"

namespace vitrine {

enum class DType { kBool, kU8, kI8, kI16, kU16, kI32, kU32, kI64, kU64, kF16, kBF16, kF32, kF64 };

std::string_view dtype_name(DType dtype);  // as the format writes it: "BOOL", "F32", ...
int64_t dtype_size(DType dtype);           // bytes an element

// Longest header that is read; the format itself allows 100,000,000 bytes.
inline constexpr uint64_t kMaxSafetensorsHeader = 16 << 20;

struct TensorView {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;  // empty: one element
  std::string_view bytes;      // row-major, little-endian; not necessarily aligned
};

// A safetensors file (github.com/huggingface/safetensors), verified in full before anything of it
// is handed out. Views live as long as this object or a copy of it.
class Safetensors {
 public:
  // All three throw Error(kData), which begins with the name or path.
  static Safetensors parse(std::string bytes, std::string_view name);
  static Safetensors load(const Place& place, uint64_t limit);
  // Reads and verifies names, shapes and metadata (against the file's length too) but no data:
  // every `bytes` is empty.
  static Safetensors header_only(const Place& place);

  const std::vector<TensorView>& tensors() const { return tensors_; }  // in the file's order
  const TensorView* find(std::string_view name) const;                 // null when there is none
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  Safetensors(std::vector<TensorView> tensors, std::map<std::string, std::string> metadata);

  std::shared_ptr<const std::string> storage_;  // at one address wherever this object is moved
  std::vector<TensorView> tensors_;
  std::map<std::string, size_t, std::less<>> index_;
  std::map<std::string, std::string> metadata_;
};

// The file's bytes: tensors by falling size of element, then by name; header padded to 8 bytes.
// Throws Error(kFailed) for a repeated or reserved name, text that is not UTF-8, or bytes that do
// not fit the shape.
std::string write_safetensors(const std::vector<TensorView>& tensors,
                              const std::map<std::string, std::string>& metadata);

// What such a file begins with, of tensors whose bytes are not there yet: they follow in the order
// that `tensors` are sorted into. Throws as write_safetensors does.
std::string safetensors_start(std::vector<TensorView>& tensors,
                              const std::map<std::string, std::string>& metadata);

}  // namespace vitrine
