#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/drawing/colour_bar.h"
#include "framework/drawing/picture.h"

namespace vitrine {

struct GridCell {
  Image image;  // without pixels: the place stays empty
  // Lines below it, wrapped where they are too long. They run on over places of the group below
  // that stay empty.
  std::vector<std::string> caption;
};

struct GridRow {
  std::string label;
  std::vector<GridCell> cells;
  bool begins_group = false;  // set off from the row above
};

// Small pictures in labelled rows and columns; a column is at least as wide as its heading and the
// words of its captions.
struct Grid {
  double cell_width = 84, cell_height = 84, gap = 6;
  std::vector<std::string> columns;  // headings
  std::vector<GridRow> rows;
  size_t label_before = 0;              // the column that the rows' labels stand left of
  std::string row_title, column_title;  // what the labels and headings count
  std::optional<ColourBar> bar;
};

Picture draw(Grid grid);

}  // namespace vitrine
