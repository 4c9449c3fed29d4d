#pragma once

#include <cstddef>

// Softmax of rows of few columns, where the vectors of a row would be mostly empty: a vector holds
// one number of each of several rows. Without torch.
namespace vitrine::simd {

// x and out: [rows, columns], in order; they may be the same.
void softmax(const float* x, size_t rows, size_t columns, float* out);
void log_softmax(const float* x, size_t rows, size_t columns, float* out);

// The gradient by x, from what the function above gave and the gradient by that.
void softmax_backward(const float* out, const float* out_gradient, size_t rows, size_t columns,
                      float* x_gradient);
void log_softmax_backward(const float* out, const float* out_gradient, size_t rows, size_t columns,
                          float* x_gradient);

}  // namespace vitrine::simd
