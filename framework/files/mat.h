#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine {

// A numeric array of a MATLAB file, column-major.
struct MatArray {
  enum class Type { kInt8 = 1, kUInt8, kInt16, kUInt16, kInt32, kUInt32, kFloat, kDouble = 9 };

  Type type = Type::kUInt8;  // as it is stored, which may be narrower than its class in MATLAB
  std::vector<int64_t> shape;
  std::string bytes;

  int64_t item() const;  // bytes of an element
};

// The array called `wanted` in a file of MATLAB 5 to 7.2, little-endian. Throws Error(kData), which
// begins with `name`: another format (7.3 is HDF5), no such array or none of real numbers,
// truncated, more than `limit` bytes once it is inflated.
MatArray read_mat(std::string_view bytes, std::string_view wanted, uint64_t limit,
                  std::string_view name);

// Its elements as whole numbers. Throws Error(kData) where one is none.
std::vector<int64_t> mat_numbers(const MatArray& array, std::string_view name);

}  // namespace vitrine
