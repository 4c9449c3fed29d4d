#include "framework/drawing/line_chart.h"

#include <algorithm>
#include <cmath>

#include "framework/drawing/ticks.h"

namespace vitrine {
namespace {

constexpr double kWidth = 460, kHeight = 300;  // of the plot itself
constexpr double kEdge = 12, kTextSize = 11, kTextLine = 15, kSample = 34;
constexpr double kLongestLabel = 320, kEntryGap = 3;
constexpr size_t kMostMarkers = 10;  // of a line

struct Extent {
  double low = INFINITY, high = -INFINITY;

  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  // Room at both ends; a range that is a point becomes one around it.
  void widen(double share) {
    const double room = high > low ? (high - low) * share : std::max(std::abs(low) * 0.05, 1e-6);
    low -= room;
    high += room;
  }
};

struct LegendEntry {
  size_t style;
  std::vector<std::string> lines;

  double height() const { return kTextLine * static_cast<double>(lines.size()) + kEntryGap; }
};

// Where things stand on the page.
struct Frame {
  explicit Frame(const LineChart& chart);

  Point at(const Point& point, const ChartLine& line) const {
    return {plot.x + plot.width * (point.x - x.low) / (x.high - x.low) + beside(line),
            plot.y + plot.height * (y.high - point.y) / (y.high - y.low)};
  }
  // How far a line's points stand beside their place, so that none hides another.
  double beside(const ChartLine& line) const {
    if (!apart) return 0;
    const auto count = static_cast<double>(legend.size());
    return (static_cast<double>(line.style) - (count - 1) / 2) * std::min(28.0, 400 / count);
  }

  Extent x, y;
  bool apart = false;
  std::vector<double> x_ticks, y_ticks;
  Box plot;
  std::vector<LegendEntry> legend;
  std::vector<std::string> note, y_title;
  double legend_width = 0, legend_height = 0;
};

void add_entry(std::vector<LegendEntry>& legend, const ChartLine& line) {
  for (const LegendEntry& entry : legend) {
    if (entry.style == line.style) return;
  }
  legend.push_back({line.style, wrapped(line.label, kTextSize, kLongestLabel)});
}

void measure_legend(Frame& frame, const LineChart& chart) {
  for (const ChartLine& line : chart.lines) add_entry(frame.legend, line);
  if (!chart.note.empty()) frame.note = wrapped(chart.note, kTextSize - 1, kLongestLabel);
  double labels = 0, notes = 0;
  for (const LegendEntry& entry : frame.legend) {
    for (const std::string& text : entry.lines)
      labels = std::max(labels, text_width(text, kTextSize));
    frame.legend_height += entry.height();
  }
  for (const std::string& text : frame.note)
    notes = std::max(notes, text_width(text, kTextSize - 1));
  frame.legend_width = std::max(kSample + 6 + labels, notes);
  frame.legend_height += kTextLine * static_cast<double>(frame.note.size());
}

Frame::Frame(const LineChart& chart) {
  for (const ChartLine& line : chart.lines) {
    for (const Point& point : line.points) {
      x.include(point.x);
      y.include(point.y);
    }
    for (const auto* bound : {&line.low, &line.high}) {
      for (const double value : *bound) y.include(value);
    }
  }
  apart = !(x.high > x.low);
  x.widen(0.02);
  y.widen(0.04);
  x_ticks = ticks_between(x.low, x.high, 8, chart.whole_x);
  y_ticks = ticks_between(y.low, y.high, 8, false);
  double ticks = 0;
  for (const std::string& text : tick_texts(y_ticks))
    ticks = std::max(ticks, text_width(text, kTextSize));
  measure_legend(*this, chart);
  const double height = std::max(kHeight, legend_height);
  y_title = wrapped(chart.y_title, kTextSize + 1, height);
  plot = {kEdge + kTextLine * static_cast<double>(y_title.size()) + ticks + 8, kEdge, kWidth,
          height};
}

void draw_axes(Canvas& canvas, const LineChart& chart, const Frame& frame) {
  const Box& plot = frame.plot;
  const double bottom = plot.y + plot.height;
  const Stroke faint{kFaint, 0.7, {}};
  const auto x_texts = tick_texts(frame.x_ticks), y_texts = tick_texts(frame.y_ticks);
  const ChartLine in_place;
  for (size_t i = 0; i < x_texts.size(); ++i) {
    const double share = (frame.x_ticks[i] - frame.x.low) / (frame.x.high - frame.x.low);
    const double x = plot.x + plot.width * share;
    canvas.line({{x, plot.y}, {x, bottom}}, faint);
    canvas.text({x, bottom + 11}, x_texts[i], {.size = kTextSize, .align = Align::kCentre});
  }
  for (size_t i = 0; i < y_texts.size(); ++i) {
    const double y = frame.at({frame.x.low, frame.y_ticks[i]}, in_place).y;
    canvas.line({{plot.x, y}, {plot.x + plot.width, y}}, faint);
    canvas.text({plot.x - 6, y}, y_texts[i], {.size = kTextSize, .align = Align::kRight});
  }
  canvas.text({plot.x + plot.width / 2, bottom + 30}, chart.x_title,
              {.size = kTextSize + 1, .align = Align::kCentre});
  for (size_t i = 0; i < frame.y_title.size(); ++i) {
    canvas.text(
        {kEdge + kTextSize / 2 + kTextLine * static_cast<double>(i), plot.y + plot.height / 2},
        frame.y_title[i], {.size = kTextSize + 1, .align = Align::kCentre, .upwards = true});
  }
}

void draw_band(Canvas& canvas, const ChartLine& line, const Frame& frame) {
  std::vector<Point> low, high;
  for (size_t i = 0; i < line.high.size(); ++i) {
    low.push_back(frame.at({line.points[i].x, line.low[i]}, line));
    high.push_back(frame.at({line.points[i].x, line.high[i]}, line));
  }
  if (low.empty()) return;
  Stroke edge = line_stroke(line.style);
  edge.width = 0.8;
  if (low.size() == 1) {
    canvas.line({low[0], high[0]}, edge);
    return;
  }
  canvas.line(low, edge);
  canvas.line(high, edge);
  std::vector<Point> outline = high;
  outline.insert(outline.end(), low.rbegin(), low.rend());
  canvas.area(outline, edge.colour, 0.15);
}

// At each point, or at some of many: not at the same ones for all lines, as they may lie close.
void draw_markers(Canvas& canvas, const ChartLine& line, const std::vector<Point>& points) {
  const size_t every = (points.size() + kMostMarkers - 1) / kMostMarkers;
  if (every == 0) return;
  for (size_t i = line.style * every / 5 % every; i < points.size(); i += every)
    draw_marker(canvas, points[i], line.style);
}

void draw_lines(Canvas& canvas, const LineChart& chart, const Frame& frame) {
  for (const ChartLine& line : chart.lines) draw_band(canvas, line, frame);
  for (const ChartLine& line : chart.lines) {
    std::vector<Point> points;
    for (const Point& point : line.points) points.push_back(frame.at(point, line));
    if (points.size() > 1) canvas.line(points, line_stroke(line.style));
    draw_markers(canvas, line, points);
  }
}

void draw_legend(Canvas& canvas, const Frame& frame) {
  const double x = frame.plot.x + frame.plot.width + 16;
  double y = frame.plot.y;
  for (const LegendEntry& entry : frame.legend) {
    const double middle = y + kTextLine / 2;
    canvas.line({{x, middle}, {x + kSample, middle}}, line_stroke(entry.style));
    draw_marker(canvas, {x + kSample / 2, middle}, entry.style);
    for (size_t i = 0; i < entry.lines.size(); ++i) {
      canvas.text({x + kSample + 6, middle + kTextLine * static_cast<double>(i)}, entry.lines[i],
                  {.size = kTextSize});
    }
    y += entry.height();
  }
  for (const std::string& text : frame.note) {
    canvas.text({x, y + kTextLine / 2}, text, {.size = kTextSize - 1, .colour = {80, 80, 80}});
    y += kTextLine;
  }
}

}  // namespace

Picture draw(LineChart chart) {
  const Frame frame(chart);
  Picture out;
  out.width = frame.plot.x + frame.plot.width + 16 + frame.legend_width + kEdge;
  out.height = kEdge + frame.plot.height + 38 + kEdge / 2;
  out.draw = [chart = std::move(chart), frame](Canvas& canvas) {
    draw_axes(canvas, chart, frame);
    canvas.clip(frame.plot, [&] { draw_lines(canvas, chart, frame); });
    canvas.frame(frame.plot, {{120, 120, 120}, 0.8, {}});
    draw_legend(canvas, frame);
  };
  return out;
}

}  // namespace vitrine
