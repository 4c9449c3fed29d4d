#pragma once

#include <vector>

#include "framework/files/png.h"

namespace vitrine {

// `values` (rows of equal length) as colours from black over red and yellow to white, as
// matplotlib's "hot" has them; the smallest value is black, the largest white. Each value fills a
// square of `scale` pixels.
Image heat_map(const std::vector<std::vector<float>>& values, int64_t scale = 1);

}  // namespace vitrine
