#pragma once

#include "framework/model/plot.h"

// What pictures of a model show that cuts its images into patches.
namespace vitrine {

// How a model cuts its images; throws Error(kUsage) for one that does not.
struct Patching {
  int64_t channels = 0, height = 0, width = 0, rows = 0, columns = 0;
  size_t step = 0;  // of the program

  int64_t count() const { return rows * columns; }
};
Patching patching_of(const Recording& recording);
// What the model adds to its tokens, [N, D]. Throws Error(kUsage) where it adds nothing.
Tensor position_table(const PlotContext& context);

}  // namespace vitrine
