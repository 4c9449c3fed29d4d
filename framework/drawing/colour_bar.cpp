#include "framework/drawing/colour_bar.h"

#include <algorithm>

#include "framework/drawing/ticks.h"

namespace vitrine {
namespace {

constexpr double kBarText = 11, kBarLine = 14, kBarWidth = 12, kTickLength = 4;

double width_of_ticks(const ColourBar& bar) {
  double out = 0;
  for (const auto& tick : bar.ticks) out = std::max(out, text_width(tick.second, kBarText));
  return kBarWidth + kTickLength + 3 + out;
}

// A unit in brackets stays whole, on a line of its own where it must.
std::vector<std::string> label_lines(const ColourBar& bar, double height) {
  const size_t unit = bar.label.rfind(" (");
  if (unit == bar.label.npos || text_width(bar.label, kBarText) <= height)
    return wrapped(bar.label, kBarText, height);
  auto out = wrapped(bar.label.substr(0, unit), kBarText, height);
  for (std::string& line : wrapped(bar.label.substr(unit + 1), kBarText, height))
    out.push_back(std::move(line));
  return out;
}

}  // namespace

ColourBar colour_bar(const Scale& scale, const std::string& label) {
  ColourBar out{scale, label, {}};
  const std::vector<double> ticks = ticks_between(scale.low, scale.high, 4, false);
  const std::vector<std::string> texts = tick_texts(ticks);
  for (size_t i = 0; i < ticks.size(); ++i) out.ticks.emplace_back(ticks[i], texts[i]);
  return out;
}

double bar_height(double height) { return std::clamp(height, 90.0, 220.0); }

double bar_width(const ColourBar& bar, double height) {
  return width_of_ticks(bar) + 6 + kBarLine * static_cast<double>(label_lines(bar, height).size());
}

void draw_bar(Canvas& canvas, const ColourBar& bar, const Point& top_left, double height) {
  constexpr int64_t kSteps = 256;
  const Box box{top_left.x, top_left.y, kBarWidth, height};
  Values values;
  for (int64_t i = kSteps; i-- > 0;) {
    const double share = static_cast<double>(i) / (kSteps - 1);
    values.push_back(
        {static_cast<float>(bar.scale.low + share * (bar.scale.high - bar.scale.low))});
  }
  canvas.image(box, heat_map(values, bar.scale));
  canvas.frame(box, {kInk, 0.5, {}});
  const double range = bar.scale.high - bar.scale.low, right = box.x + box.width;
  for (const auto& [value, text] : bar.ticks) {
    const double y = box.y + box.height * (range > 0 ? (bar.scale.high - value) / range : 0.5);
    canvas.line({{right, y}, {right + kTickLength, y}}, {kInk, 0.7, {}});
    canvas.text({right + kTickLength + 3, y}, text, {.size = kBarText});
  }
  double x = box.x + width_of_ticks(bar) + 6 + kBarLine / 2;
  for (const std::string& line : label_lines(bar, height)) {
    canvas.text({x, box.y + box.height / 2}, line,
                {.size = kBarText, .align = Align::kCentre, .upwards = true});
    x += kBarLine;
  }
}

}  // namespace vitrine
