#include "framework/reports/line_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace vitrine {
namespace {

constexpr double kWidth = 460, kHeight = 300;  // of the plot itself
constexpr double kEdge = 12, kTextSize = 11, kTextLine = 17, kSample = 26;
constexpr double kLongestLabel = 320;

constexpr Colour kColours[] = {{0, 114, 178}, {213, 94, 0},   {0, 158, 115}, {204, 121, 167},
                               {230, 159, 0}, {86, 180, 233}, {0, 0, 0}};
const std::vector<double> kDashes[] = {{}, {7, 3}, {2, 2.5}, {8, 3, 2, 3}};
static_assert(std::size(kColours) * std::size(kDashes) == kLineStyles);

Stroke stroke_of(size_t style) {
  const size_t colours = std::size(kColours);
  return {kColours[style % colours], 1.8, kDashes[style / colours % std::size(kDashes)]};
}

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

// Where things stand on the page.
struct Frame {
  explicit Frame(const LineChart& chart);

  Point at(const Point& point) const {
    return {plot.x + plot.width * (point.x - x.low) / (x.high - x.low),
            plot.y + plot.height * (y.high - point.y) / (y.high - y.low)};
  }

  Extent x, y;
  std::vector<double> x_ticks, y_ticks;
  Box plot;
  std::vector<size_t> legend;  // the first line of each style
  double legend_width = 0;
};

// All with the digits that the steps between them need: 1.9, 2.0, 2.1.
std::vector<std::string> tick_texts(const std::vector<double>& ticks) {
  std::vector<std::string> out;
  const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : 1;
  const int digits = std::max(0, -static_cast<int>(std::floor(std::log10(step) + 1e-9)));
  for (const double tick : ticks) {
    const bool short_enough = digits < 7 && std::abs(tick) < 1e7;
    out.push_back(short_enough
                      ? fmt::format("{:.{}f}", std::abs(tick) < step / 2 ? 0 : tick, digits)
                      : fmt::format("{:.6g}", tick == 0 ? 0 : tick));
  }
  return out;
}

Frame::Frame(const LineChart& chart) {
  for (size_t i = 0; i < chart.lines.size(); ++i) {
    const ChartLine& line = chart.lines[i];
    for (const Point& point : line.points) {
      x.include(point.x);
      y.include(point.y);
    }
    for (const auto* bound : {&line.low, &line.high}) {
      for (const double value : *bound) y.include(value);
    }
    const bool known = std::any_of(legend.begin(), legend.end(), [&](size_t first) {
      return chart.lines[first].style == line.style;
    });
    if (!known) legend.push_back(i);
  }
  x.widen(0.02);
  y.widen(0.04);
  x_ticks = ticks_between(x.low, x.high, 8, chart.whole_x);
  y_ticks = ticks_between(y.low, y.high, 6, false);
  double ticks = 0;
  for (const std::string& text : tick_texts(y_ticks))
    ticks = std::max(ticks, text_width(text, kTextSize));
  plot = {kEdge + kTextLine + ticks + 8, kEdge, kWidth, kHeight};
  for (const size_t i : legend)
    legend_width = std::max(legend_width, text_width(chart.lines[i].label, kTextSize));
  legend_width = std::max(kSample + 6 + std::min(legend_width, kLongestLabel),
                          text_width(chart.note, kTextSize - 1.5));
}

void draw_axes(Canvas& canvas, const LineChart& chart, const Frame& frame) {
  const Box& plot = frame.plot;
  const double bottom = plot.y + plot.height;
  const Stroke faint{kFaint, 0.7, {}};
  const auto x_texts = tick_texts(frame.x_ticks), y_texts = tick_texts(frame.y_ticks);
  for (size_t i = 0; i < x_texts.size(); ++i) {
    const double x = frame.at({frame.x_ticks[i], 0}).x;
    canvas.line({{x, plot.y}, {x, bottom}}, faint);
    canvas.text({x, bottom + 11}, x_texts[i], {.size = kTextSize, .align = Align::kCentre});
  }
  for (size_t i = 0; i < y_texts.size(); ++i) {
    const double y = frame.at({0, frame.y_ticks[i]}).y;
    canvas.line({{plot.x, y}, {plot.x + plot.width, y}}, faint);
    canvas.text({plot.x - 6, y}, y_texts[i], {.size = kTextSize, .align = Align::kRight});
  }
  canvas.text({plot.x + plot.width / 2, bottom + 30}, chart.x_title,
              {.size = kTextSize + 1, .align = Align::kCentre});
  canvas.text({kEdge + kTextSize / 2, plot.y + plot.height / 2}, chart.y_title,
              {.size = kTextSize + 1, .align = Align::kCentre, .upwards = true});
}

void draw_lines(Canvas& canvas, const LineChart& chart, const Frame& frame) {
  for (const ChartLine& line : chart.lines) {
    std::vector<Point> outline;
    for (size_t i = 0; i < line.high.size(); ++i)
      outline.push_back(frame.at({line.points[i].x, line.high[i]}));
    for (size_t i = line.low.size(); i-- > 0;)
      outline.push_back(frame.at({line.points[i].x, line.low[i]}));
    if (line.points.size() > 1) {
      canvas.area(outline, stroke_of(line.style).colour, 0.18);
    } else if (!outline.empty()) {
      canvas.line(outline, {stroke_of(line.style).colour, 1, {}});
    }
  }
  for (const ChartLine& line : chart.lines) {
    std::vector<Point> points;
    for (const Point& point : line.points) points.push_back(frame.at(point));
    canvas.line(points, stroke_of(line.style));
  }
}

void draw_legend(Canvas& canvas, const LineChart& chart, const Frame& frame) {
  const double x = frame.plot.x + frame.plot.width + 16;
  double y = frame.plot.y + kTextLine / 2;
  for (const size_t i : frame.legend) {
    const ChartLine& line = chart.lines[i];
    canvas.line({{x, y}, {x + kSample, y}}, stroke_of(line.style));
    canvas.text({x + kSample + 6, y}, line.label, {.size = kTextSize, .width = kLongestLabel});
    y += kTextLine;
  }
  canvas.text({x, y + 2}, chart.note, {.size = kTextSize - 1.5, .colour = {90, 90, 90}});
}

}  // namespace

std::vector<double> ticks_between(double low, double high, size_t count, bool whole) {
  const double rough = (high - low) / static_cast<double>(count);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (factor * power >= rough) step = factor * power;
  }
  if (whole) step = std::max(step, 1.0);
  std::vector<double> out;
  for (double i = std::ceil(low / step); i * step <= high; ++i) out.push_back(i * step);
  return out;
}

Picture draw(LineChart chart) {
  const Frame frame(chart);
  const double legend = kTextLine * static_cast<double>(frame.legend.size() + 1);
  Picture out;
  out.width = frame.plot.x + frame.plot.width + 16 + frame.legend_width + kEdge;
  out.height = kEdge + std::max(kHeight + 38, legend) + kEdge / 2;
  out.draw = [chart = std::move(chart), frame](Canvas& canvas) {
    draw_axes(canvas, chart, frame);
    canvas.clip(frame.plot, [&] { draw_lines(canvas, chart, frame); });
    canvas.frame(frame.plot, {{120, 120, 120}, 0.8, {}});
    draw_legend(canvas, chart, frame);
  };
  return out;
}

}  // namespace vitrine
