#include "framework/drawing/heat_chart.h"

#include <algorithm>
#include <cmath>

#include "framework/drawing/ticks.h"

namespace vitrine {
namespace {

constexpr double kHeatEdge = 10, kHeatText = 11, kHeatLine = 15, kHeatTick = 4;
constexpr double kMostWide = 560, kMostHigh = 450;  // of the cells together, where they can be seen

struct HeatTick {
  double at;    // middle of its text, from the first row's or column's beginning
  double mark;  // where the axis is marked: at the beginning of several rows, else at the middle
  std::string text;
};

// Where its parts stand.
struct HeatPlaces {
  Box cells;
  double cell_width, cell_height, bar_x, bar, width, height;
  std::vector<HeatTick> x, y;
};

// Whole half units, so that all cells are as many pixels.
double cell_side(double room, size_t count) {
  constexpr double kLargest = 28, kSmallest = 1, kLeast = 0.5;
  const double side = std::floor(2 * room / static_cast<double>(count)) / 2;
  if (count > 2000) return kLeast;
  return std::clamp(side, kSmallest, kLargest);
}

std::vector<HeatTick> ticks_of(const HeatAxis& axis, size_t count, double cell, bool upright) {
  std::vector<HeatTick> all;
  const bool grouped = std::any_of(axis.labels.begin(), axis.labels.end(),
                                   [](const HeatLabel& label) { return label.count > 1; });
  for (const HeatLabel& label : axis.labels) {
    const double begin = static_cast<double>(label.first) * cell,
                 middle = begin + static_cast<double>(label.count) * cell / 2;
    all.push_back({middle, grouped ? begin : middle, label.text});
  }
  if (axis.labels.empty()) {
    const double length = static_cast<double>(count) * cell;
    const auto most = static_cast<size_t>(std::max(1.0, length / (upright ? 24 : 28)));
    const auto numbers = ticks_between(0, static_cast<double>(count - 1), most, true);
    const auto texts = tick_texts(numbers);
    for (size_t i = 0; i < numbers.size(); ++i) {
      const double middle = (numbers[i] + 0.5) * cell;
      all.push_back({middle, middle, texts[i]});
    }
  }
  std::vector<HeatTick> out;
  double end = -INFINITY;
  for (const HeatTick& tick : all) {
    const double half = (upright ? kHeatText + 1 : text_width(tick.text, kHeatText) + 6) / 2;
    // Beside a group there is room a little further down.
    const double beyond = std::max(0.0, end - (tick.at - half));
    if (beyond > (upright && grouped ? 2 * half : 0)) continue;
    out.push_back(tick);
    out.back().at += beyond;
    end = out.back().at + half;
  }
  return out;
}

HeatPlaces places_of(const HeatChart& chart) {
  HeatPlaces out;
  const size_t rows = chart.values.size(), columns = chart.values.at(0).size();
  out.cell_width = chart.cell_width > 0 ? chart.cell_width : cell_side(kMostWide, columns);
  out.cell_height = chart.cell_height > 0 ? chart.cell_height : cell_side(kMostHigh, rows);
  out.x = ticks_of(chart.x, columns, out.cell_width, false);
  out.y = ticks_of(chart.y, rows, out.cell_height, true);
  double labels = 0;
  for (const HeatTick& tick : out.y) labels = std::max(labels, text_width(tick.text, kHeatText));
  out.cells = {kHeatEdge + kHeatLine + labels + 3 + kHeatTick, kHeatEdge,
               static_cast<double>(columns) * out.cell_width,
               static_cast<double>(rows) * out.cell_height};
  out.bar = bar_height(out.cells.height);
  // The bar stands beside the x axis' title too, which may be longer than the axis.
  const double title = text_width(chart.x.title, kHeatText);
  out.bar_x = 16 + std::max({out.cells.x + out.cells.width, kHeatEdge + title,
                             out.cells.x + (out.cells.width + title) / 2});
  out.width = out.bar_x + bar_width(chart.bar, out.bar) + kHeatEdge;
  out.height = out.cells.y + kHeatEdge +
               std::max({out.cells.height + kHeatTick + 2 * kHeatLine + 3, out.bar,
                         text_width(chart.y.title, kHeatText)});
  return out;
}

void draw_x_axis(Canvas& canvas, const HeatChart& chart, const HeatPlaces& places) {
  const Box& cells = places.cells;
  const double bottom = cells.y + cells.height;
  for (const HeatTick& tick : places.x) {
    const double mark = cells.x + tick.mark;
    canvas.line({{mark, bottom}, {mark, bottom + kHeatTick}}, {kInk, 0.7, {}});
    canvas.text({cells.x + tick.at, bottom + kHeatTick + kHeatLine / 2}, tick.text,
                {.size = kHeatText, .align = Align::kCentre});
  }
  const double half = text_width(chart.x.title, kHeatText) / 2;
  canvas.text({std::max(cells.x + cells.width / 2, kHeatEdge + half),
               bottom + kHeatTick + 1.5 * kHeatLine + 3},
              chart.x.title, {.size = kHeatText, .align = Align::kCentre});
}

void draw_y_axis(Canvas& canvas, const HeatChart& chart, const HeatPlaces& places) {
  const Box& cells = places.cells;
  for (const HeatTick& tick : places.y) {
    const double mark = cells.y + tick.mark;
    canvas.line({{cells.x - kHeatTick, mark}, {cells.x, mark}}, {kInk, 0.7, {}});
    canvas.text({cells.x - kHeatTick - 3, cells.y + tick.at}, tick.text,
                {.size = kHeatText, .align = Align::kRight});
  }
  const double half = text_width(chart.y.title, kHeatText) / 2;
  canvas.text({kHeatEdge + kHeatLine / 2 - 2, cells.y + std::max(cells.height / 2, half)},
              chart.y.title, {.size = kHeatText, .align = Align::kCentre, .upwards = true});
}

}  // namespace

Picture draw(HeatChart chart) {
  const HeatPlaces places = places_of(chart);
  Picture out;
  out.width = places.width;
  out.height = places.height;
  if (std::min(places.cell_width, places.cell_height) < 1) out.resolution = 2;  // a pixel a value
  const Image image = heat_map(chart.values, chart.bar.scale);
  out.draw = [chart = std::move(chart), places, image](Canvas& canvas) {
    canvas.image(places.cells, image);
    canvas.frame(places.cells, {kInk, 0.5, {}});
    draw_x_axis(canvas, chart, places);
    draw_y_axis(canvas, chart, places);
    draw_bar(canvas, chart.bar, {places.bar_x, places.cells.y}, places.bar);
  };
  return out;
}

}  // namespace vitrine
