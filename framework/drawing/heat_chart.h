#pragma once

#include "framework/drawing/colour_bar.h"
#include "framework/drawing/picture.h"

namespace vitrine {

// What stands beside some rows, or below some columns, that belong together.
struct HeatLabel {
  size_t first = 0, count = 1;
  std::string text;
};

struct HeatAxis {
  std::string title;
  // Labels in order; of those that would overlap the first stays. Without any there are round
  // numbers.
  std::vector<HeatLabel> labels;
};

// A table of numbers as coloured cells, the first row on top.
struct HeatChart {
  Values values;
  ColourBar bar;
  HeatAxis x, y;
  double cell_width = 0, cell_height = 0;  // 0: so that the picture is as large as a page
};

Picture draw(HeatChart chart);

}  // namespace vitrine
