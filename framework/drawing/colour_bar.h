#pragma once

#include <string>
#include <utility>
#include <vector>

#include "framework/drawing/heat_map.h"

namespace vitrine {

// A scale, shown beside what it colours, with the values to mark on it.
struct ColourBar {
  Scale scale;
  std::string label;  // what the values are, with their unit
  std::vector<std::pair<double, std::string>> ticks;
};

// Ticks at round values.
ColourBar colour_bar(const Scale& scale, const std::string& label);

// A bar and its words are as high as `height`, within the limits of what can be read.
double bar_height(double height);
double bar_width(const ColourBar& bar, double height);
void draw_bar(Canvas& canvas, const ColourBar& bar, const Point& top_left, double height);

}  // namespace vitrine
