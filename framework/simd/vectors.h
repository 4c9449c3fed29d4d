#pragma once

#include <cstddef>

// Conversions between rows of floats and vectors that hold one number of each of several images,
// for callers that are compiled for no instruction set in particular. Without torch.
namespace vitrine::simd {

size_t lanes();        // images a vector, on this processor
const char* target();  // the instruction set's name, such as "AVX3"

// n vectors as n neighbouring floats of each of `count` images, `stride` floats apart.
void collect(const float* vectors, size_t n, size_t count, size_t stride, float* to);
// Adds n floats.
void add(const float* from, size_t n, float* to);

}  // namespace vitrine::simd
