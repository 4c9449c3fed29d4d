#pragma once

#include "framework/model/layout.h"

// Positions for another grid of patches than the one that they were trained on, as timm makes them.
namespace vitrine {

struct PatchGrid {
  int64_t rows = 0, columns = 0;
};

// Positions [special + rows * columns, D] of another grid of patches: bicubic with antialiasing;
// special tokens keep theirs.
Tensor resampled_positions(const Tensor& table, int64_t special, PatchGrid from, PatchGrid to);

// Makes a table for our grid, `ours` [special + rows * columns, D], of one from elsewhere, whose
// grid is square or has the sides' ratio of ours.
LayoutContext::Conversion conversion_to_grid(const Tensor& ours, PatchGrid grid);

}  // namespace vitrine
