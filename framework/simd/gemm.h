#pragma once

#include <cstddef>

// Products of matrices of numbers whose rows lie in order. Without torch.
namespace vitrine::simd {

// A factor [rows, columns] with rows `row` floats apart; where it is `transposed`, what lies there
// is [columns, rows].
struct GemmFactor {
  const float* at;
  size_t row;
  bool transposed = false;
};

// c [m, n] = a [m, k] b [k, n], or with `adds` what is there and that; on the calling thread alone.
using Gemm = void (*)(size_t m, size_t n, size_t k, GemmFactor a, GemmFactor b, float* c,
                      size_t c_row, bool adds);
void gemm(size_t m, size_t n, size_t k, GemmFactor a, GemmFactor b, float* c, size_t c_row,
          bool adds);
// Has a library do it from now on, in place of a kernel of our own.
void use_gemm(Gemm library);

}  // namespace vitrine::simd
