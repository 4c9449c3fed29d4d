#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine {

// The types of elements that are read, by their code in the file.
enum class IdxType : uint8_t { kByte = 0x08, kInt = 0x0c };  // unsigned 8 bit, signed 32 bit

// An array, row-major.
struct IdxArray {
  std::vector<int64_t> shape;  // 1 to 4 dimensions
  std::string bytes;           // as in the file: ints are big-endian
};

// Reads the IDX format of the MNIST files (yann.lecun.com/exdb/mnist), already decompressed. Throws
// Error(kData), which begins with `name`, when the magic number, type, rank, shape or length is not
// what it must be.
IdxArray parse_idx(std::string_view bytes, std::string_view name, IdxType type = IdxType::kByte);

// The elements of an array of ints.
std::vector<int64_t> idx_ints(const IdxArray& array);

}  // namespace vitrine
