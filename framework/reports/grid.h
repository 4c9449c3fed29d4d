#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/reports/heat_map.h"

namespace vitrine {

struct GridCell {
  Image image;                       // without pixels: the place stays empty
  std::vector<std::string> caption;  // lines below it
};

struct GridRow {
  std::string label;
  std::vector<GridCell> cells;
  bool begins_group = false;  // set off from the row above
};

// A scale, shown beside the cells, with the values to mark on it.
struct ColourBar {
  Scale scale;
  std::string label;
  std::vector<std::pair<double, std::string>> ticks;
};

// Small pictures in labelled rows and columns.
struct Grid {
  double cell_width = 84, cell_height = 84, gap = 6;
  std::vector<std::string> columns;  // headings
  std::vector<GridRow> rows;
  size_t label_before = 0;              // the column that the rows' labels stand left of
  std::string row_title, column_title;  // what the labels and headings count
  std::optional<ColourBar> bar;
};

// Ticks at low, middle and high.
ColourBar colour_bar(const Scale& scale, const std::string& label);

Picture draw(Grid grid);

}  // namespace vitrine
