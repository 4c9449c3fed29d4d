#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine {

// An array of unsigned bytes, row-major.
struct IdxArray {
  std::vector<int64_t> shape;  // 1 to 4 dimensions
  std::string bytes;
};

// Reads the IDX format of the MNIST files (yann.lecun.com/exdb/mnist), already decompressed. Throws
// Error(kData), which begins with `name`, when the magic number, type, rank, shape or length is not
// what it must be.
IdxArray parse_idx(std::string_view bytes, std::string_view name);

}  // namespace vitrine
