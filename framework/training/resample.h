#pragma once

#include "framework/tensor.h"

// Weights for other images than those that they were trained on, as timm converts them.
namespace vitrine {

struct Grid {
  int64_t rows = 0, columns = 0;
};

// Positions [special + rows * columns, D] of another grid of patches: bicubic with antialiasing;
// special tokens keep theirs.
Tensor resampled_positions(const Tensor& table, int64_t special, Grid from, Grid to);

// Weights [out, from * n] for images of another number of channels: to one they are summed; else
// repeated, and scaled so that the sum over channels stays about the same.
Tensor adapted_channels(const Tensor& weight, int64_t from, int64_t to);

}  // namespace vitrine
