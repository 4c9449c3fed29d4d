#include "framework/reports/grid.h"

#include <fmt/format.h>

#include <algorithm>

namespace vitrine {
namespace {

constexpr double kMargin = 10, kText = 9, kLine = 12, kGroupGap = 10, kBarWidth = 10;

// Where the parts of a grid stand.
struct Places {
  explicit Places(const Grid& grid);

  double width() const { return right + kMargin; }
  double height() const { return bottom + kMargin; }

  double left = kMargin, top = kMargin;  // of the first cell
  std::vector<double> columns;           // left side of each
  double label = 0;                      // right side of the rows' labels
  double cells_right = 0, right = 0, bottom = 0;
  std::vector<double> rows;  // top of each
};

Places::Places(const Grid& grid) {
  double labels = 0;
  size_t count = grid.columns.size();
  for (const GridRow& row : grid.rows) {
    labels = std::max(labels, text_width(row.label, kText));
    count = std::max(count, row.cells.size());
  }
  if (!grid.row_title.empty()) left += kLine + 2;
  if (!grid.column_title.empty()) top += kLine + 2;
  if (!grid.columns.empty()) top += kLine;
  double y = top;
  for (const GridRow& row : grid.rows) {
    if (row.begins_group && !rows.empty()) y += kGroupGap;
    rows.push_back(y);
    size_t lines = 0;
    for (const GridCell& cell : row.cells) lines = std::max(lines, cell.caption.size());
    y += grid.cell_height + static_cast<double>(lines) * kLine + grid.gap;
  }
  bottom = y - grid.gap;
  double x = left;
  for (size_t column = 0; column < count; ++column) {
    if (column == grid.label_before && labels > 0) {
      label = x + labels;
      x = label + 6;
    }
    columns.push_back(x);
    x += grid.cell_width + grid.gap;
  }
  left = columns.empty() ? x : columns[0];
  cells_right = x - grid.gap;
  right = cells_right;
  if (!grid.bar) return;
  double ticks = 0;
  for (const auto& tick : grid.bar->ticks) ticks = std::max(ticks, text_width(tick.second, kText));
  right += 14 + kBarWidth + 5 + ticks + 6 + kLine;
}

void draw_bar(Canvas& canvas, const ColourBar& bar, const Places& places) {
  constexpr int64_t kSteps = 256;
  const Box box{places.cells_right + 14, places.top, kBarWidth,
                std::min(places.bottom - places.top, 180.0)};
  Values values;
  for (int64_t i = kSteps; i-- > 0;) {
    const double share = static_cast<double>(i) / (kSteps - 1);
    values.push_back(
        {static_cast<float>(bar.scale.low + share * (bar.scale.high - bar.scale.low))});
  }
  canvas.image(box, heat_map(values, bar.scale));
  canvas.frame(box, {kInk, 0.5, {}});
  const double range = bar.scale.high - bar.scale.low;
  for (const auto& [value, text] : bar.ticks) {
    const double y = box.y + box.height * (range > 0 ? (bar.scale.high - value) / range : 1);
    canvas.line({{box.x + box.width, y}, {box.x + box.width + 3, y}}, {kInk, 0.5, {}});
    canvas.text({box.x + box.width + 5, y}, text, {.size = kText});
  }
  canvas.text({places.right - kLine / 2, box.y + box.height / 2}, bar.label,
              {.size = kText, .align = Align::kCentre, .upwards = true});
}

void draw_row(Canvas& canvas, const Grid& grid, const GridRow& row, const Places& places,
              double top) {
  canvas.text({places.label, top + grid.cell_height / 2}, row.label,
              {.size = kText, .align = Align::kRight});
  for (size_t i = 0; i < row.cells.size(); ++i) {
    const GridCell& cell = row.cells[i];
    const double x = places.columns[i];
    if (!cell.image.pixels.empty()) {
      const Box box{x, top, grid.cell_width, grid.cell_height};
      canvas.image(box, cell.image);
      canvas.frame(box, {kFaint, 0.5, {}});
    }
    double y = top + grid.cell_height + kLine / 2;
    for (const std::string& line : cell.caption) {
      canvas.text({x + grid.cell_width / 2, y}, line,
                  {.size = kText - 1, .align = Align::kCentre, .width = grid.cell_width + 4});
      y += kLine;
    }
  }
}

void draw_titles(Canvas& canvas, const Grid& grid, const Places& places) {
  for (size_t i = 0; i < grid.columns.size(); ++i) {
    canvas.text({places.columns[i] + grid.cell_width / 2, places.top - kLine / 2 - 2},
                grid.columns[i],
                {.size = kText, .align = Align::kCentre, .width = grid.cell_width + grid.gap});
  }
  canvas.text({(places.left + places.cells_right) / 2, kMargin + kLine / 2 - 2}, grid.column_title,
              {.size = kText, .align = Align::kCentre});
  canvas.text({kMargin + kLine / 2 - 2, (places.top + places.bottom) / 2}, grid.row_title,
              {.size = kText, .align = Align::kCentre, .upwards = true});
}

}  // namespace

ColourBar colour_bar(const Scale& scale, const std::string& label) {
  ColourBar out{scale, label, {}};
  for (const double value : {scale.low, (scale.low + scale.high) / 2, scale.high})
    out.ticks.emplace_back(value, fmt::format("{:.2g}", value == 0 ? 0 : value));
  return out;
}

Picture draw(Grid grid) {
  const Places places(grid);
  Picture out;
  out.width = places.width();
  out.height = places.height();
  out.draw = [grid = std::move(grid), places](Canvas& canvas) {
    draw_titles(canvas, grid, places);
    for (size_t i = 0; i < grid.rows.size(); ++i)
      draw_row(canvas, grid, grid.rows[i], places, places.rows[i]);
    if (grid.bar) draw_bar(canvas, *grid.bar, places);
  };
  return out;
}

}  // namespace vitrine
