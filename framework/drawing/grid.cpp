#include "framework/drawing/grid.h"

#include <algorithm>

namespace vitrine {
namespace {

constexpr double kMargin = 10, kText = 11, kCaption = 10, kLine = 14, kGroupGap = 10, kBarGap = 16;
constexpr double kNarrowestCaption = 20, kRoomForCaption = 64;

// Where the parts of a grid stand.
struct Places {
  explicit Places(const Grid& grid);

  double width() const { return right + kMargin; }
  double height() const { return bottom + kMargin; }
  double middle_of(size_t column) const { return columns[column] + column_width / 2; }

  double left = kMargin, top = kMargin;  // of the first cell
  double column_width = 0;
  std::vector<double> columns;  // left side of each
  double label = 0;             // right side of the rows' labels
  double cells_right = 0, cells_bottom = 0, bar = 0, right = 0, bottom = 0;
  std::vector<double> rows;  // top of each

 private:
  void place_rows(const Grid& grid);
};

std::vector<std::string> caption_lines(const GridCell& cell, double width) {
  std::vector<std::string> out;
  for (const std::string& text : cell.caption) {
    for (std::string& line : wrapped(text, kCaption, std::max(width, kNarrowestCaption)))
      out.push_back(std::move(line));
  }
  return out;
}

// What a column needs so that captions are read with ease: room for short ones, and for each word.
double room_for(const GridCell& cell) {
  double out = 0;
  for (const std::string& text : cell.caption) {
    out = std::max(out, std::min(text_width(text, kCaption), kRoomForCaption));
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find(' ', begin), text.size());
      const double word = text_width(text.substr(begin, end - begin), kCaption);
      out = std::max(out, std::min(word, 1.5 * kRoomForCaption));
      begin = end + 1;
    }
  }
  return out;
}

// Whether the place below a cell is of the same group and empty.
bool runs_on(const Grid& grid, size_t row, size_t column) {
  if (row + 1 == grid.rows.size() || grid.rows[row + 1].begins_group) return false;
  const std::vector<GridCell>& below = grid.rows[row + 1].cells;
  return column < below.size() && below[column].image.pixels.empty() &&
         below[column].caption.empty();
}

void Places::place_rows(const Grid& grid) {
  double y = top, end = top;  // `end`: of all captions of the group
  for (size_t i = 0; i < grid.rows.size(); ++i) {
    const GridRow& row = grid.rows[i];
    if (row.begins_group && i > 0) y = std::max(y, end + grid.gap) + kGroupGap;
    rows.push_back(y);
    size_t lines = 0;
    for (size_t column = 0; column < row.cells.size(); ++column) {
      const size_t own = caption_lines(row.cells[column], column_width).size();
      end = std::max(end, y + grid.cell_height + static_cast<double>(own) * kLine);
      if (!runs_on(grid, i, column)) lines = std::max(lines, own);
    }
    y += grid.cell_height + static_cast<double>(lines) * kLine + grid.gap;
  }
  cells_bottom = bottom = std::max(y - grid.gap, end);
}

Places::Places(const Grid& grid) {
  double labels = 0;
  size_t count = grid.columns.size();
  column_width = grid.cell_width;
  for (const std::string& heading : grid.columns)
    column_width = std::max(column_width, text_width(heading, kText));
  for (const GridRow& row : grid.rows) {
    labels = std::max(labels, text_width(row.label, kText));
    count = std::max(count, row.cells.size());
    for (const GridCell& cell : row.cells) column_width = std::max(column_width, room_for(cell));
  }
  if (!grid.row_title.empty()) left += kLine + 2;
  if (!grid.column_title.empty()) top += kLine + 2;
  if (!grid.columns.empty()) top += kLine + 2;
  place_rows(grid);
  double x = left;
  for (size_t column = 0; column < count; ++column) {
    if (column == grid.label_before && labels > 0) {
      label = x + labels;
      x = label + 6;
    }
    columns.push_back(x);
    x += column_width + grid.gap;
  }
  left = columns.empty() ? x : columns[0];
  cells_right = x - grid.gap;
  // Titles of an axis may be longer than the axis.
  right = std::max(cells_right, left + text_width(grid.column_title, kText));
  bottom = std::max(bottom, top + text_width(grid.row_title, kText));
  if (!grid.bar) return;
  bar = bar_height(cells_bottom - top);
  right = std::max(right, cells_right + kBarGap + bar_width(*grid.bar, bar));
  bottom = std::max(bottom, top + bar);
}

void draw_row(Canvas& canvas, const Grid& grid, const GridRow& row, const Places& places,
              double top) {
  canvas.text({places.label, top + grid.cell_height / 2}, row.label,
              {.size = kText, .align = Align::kRight});
  for (size_t i = 0; i < row.cells.size(); ++i) {
    const GridCell& cell = row.cells[i];
    if (!cell.image.pixels.empty()) {
      const Box box{places.middle_of(i) - grid.cell_width / 2, top, grid.cell_width,
                    grid.cell_height};
      canvas.image(box, cell.image);
      canvas.frame(box, {kFaint, 0.5, {}});
    }
    double y = top + grid.cell_height + kLine / 2;
    for (const std::string& line : caption_lines(cell, places.column_width)) {
      canvas.text({places.middle_of(i), y}, line, {.size = kCaption, .align = Align::kCentre});
      y += kLine;
    }
  }
}

void draw_titles(Canvas& canvas, const Grid& grid, const Places& places) {
  for (size_t i = 0; i < grid.columns.size(); ++i) {
    canvas.text({places.middle_of(i), places.top - kLine / 2 - 2}, grid.columns[i],
                {.size = kText, .align = Align::kCentre});
  }
  const double across = text_width(grid.column_title, kText) / 2,
               down = text_width(grid.row_title, kText) / 2;
  canvas.text({std::max((places.left + places.cells_right) / 2, places.left + across),
               kMargin + kLine / 2 - 2},
              grid.column_title, {.size = kText, .align = Align::kCentre});
  canvas.text({kMargin + kLine / 2 - 2,
               std::max((places.top + places.cells_bottom) / 2, places.top + down)},
              grid.row_title, {.size = kText, .align = Align::kCentre, .upwards = true});
}

}  // namespace

Picture draw(Grid grid) {
  const Places places(grid);
  Picture out;
  out.width = places.width();
  out.height = places.height();
  out.draw = [grid = std::move(grid), places](Canvas& canvas) {
    draw_titles(canvas, grid, places);
    for (size_t i = 0; i < grid.rows.size(); ++i)
      draw_row(canvas, grid, grid.rows[i], places, places.rows[i]);
    if (grid.bar)
      draw_bar(canvas, *grid.bar, {places.cells_right + kBarGap, places.top}, places.bar);
  };
  return out;
}

}  // namespace vitrine
