#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine {

// How the elements of an array lie in a NumPy file.
struct NpyHeader {
  enum class Kind { kBool, kSigned, kUnsigned, kFloat };

  Kind kind = Kind::kUnsigned;
  int64_t item = 1;  // bytes: 1, 2, 4 or 8
  bool is_big_endian = false, is_fortran = false;
  std::vector<int64_t> shape;
  uint64_t offset = 0;  // where the elements begin

  // "uint8", "float32", "bool"
  std::string type() const;
};

// More bytes than any header has that is read.
inline constexpr uint64_t kNpyStart = 1 << 17;

// Reads the header from the first bytes of a file of `size` bytes: all of them, or kNpyStart.
// Throws Error(kData), which begins with `name`, where it is no NumPy file, of a type that is not
// read (objects, which would run code; records, text, complex numbers), or where its size is not
// that of its elements.
NpyHeader parse_npy_header(std::string_view start, uint64_t size, std::string_view name);

// An array, row-major in this machine's byte order.
struct NpyArray {
  NpyHeader header;
  std::string bytes;  // of which the elements are the end

  const char* data() const { return bytes.data() + header.offset; }
  char* data() { return bytes.data() + header.offset; }
};

// The array in the bytes of a file. Throws as parse_npy_header does.
NpyArray parse_npy(std::string bytes, std::string_view name);

}  // namespace vitrine
