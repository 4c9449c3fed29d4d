#pragma once

#include <string>
#include <vector>

#include "framework/drawing/line_style.h"
#include "framework/drawing/picture.h"

namespace vitrine {

struct ChartLine {
  std::string label;  // for the legend; lines of one style share their first one's
  size_t style = 0;   // colour, dashes and marker, below kLineStyles
  std::vector<Point> points;
  std::vector<double> low, high;  // of a band, one for each point; or empty
};

struct LineChart {
  std::string x_title, y_title;
  bool whole_x = false;  // no ticks between whole numbers
  std::string note;      // below the legend, such as what the band is
  std::vector<ChartLine> lines;
};

// Where all lines are one point at the same x, the points stand side by side.
Picture draw(LineChart chart);

}  // namespace vitrine
