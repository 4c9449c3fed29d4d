#pragma once

#include <string>
#include <vector>

#include "framework/reports/picture.h"

namespace vitrine {

struct ChartLine {
  std::string label;  // for the legend; lines of one style share their first one's
  size_t style = 0;   // colour and dashes
  std::vector<Point> points;
  std::vector<double> low, high;  // of a band, one for each point; or empty
};

struct LineChart {
  std::string x_title, y_title;
  bool whole_x = false;  // no ticks between whole numbers
  std::string note;      // below the legend, such as what the band is
  std::vector<ChartLine> lines;
};

// Styles that can be told apart: colours for colour-blind eyes (Okabe and Ito 2008), each plain,
// dashed, dotted and both.
inline constexpr size_t kLineStyles = 28;

Picture draw(LineChart chart);

// Round numbers (1, 2 or 5 times a power of ten apart) within [low, high], about `count` of them.
std::vector<double> ticks_between(double low, double high, size_t count, bool whole);

}  // namespace vitrine
