#include "framework/drawing/line_style.h"

#include <cmath>

namespace vitrine {
namespace {

constexpr Colour kLineColours[] = {{0, 114, 178}, {213, 94, 0},   {0, 158, 115}, {204, 121, 167},
                                   {230, 159, 0}, {86, 180, 233}, {0, 0, 0}};
const std::vector<double> kLineDashes[] = {{}, {7, 3}, {2, 2.5}, {8, 3, 2, 3}};
enum class Marker { kCircle, kSquare, kUp, kDiamond, kCross, kDown, kPlus };
constexpr size_t kMarkers = 7;
// No two numbers below it leave the same remainders, as 4 and 7 have no factor in common.
static_assert(std::size(kLineColours) == kMarkers &&
              std::size(kLineDashes) * kMarkers == kLineStyles);

std::vector<Point> corners(const Point& at, int count, double radius, double turned) {
  std::vector<Point> out;
  for (int i = 0; i < count; ++i) {
    const double angle = turned + 2 * M_PI * i / count;
    out.push_back({at.x + radius * std::sin(angle), at.y - radius * std::cos(angle)});
  }
  return out;
}

std::vector<Point> outline_of(Marker marker, const Point& at) {
  switch (marker) {
    case Marker::kSquare:
      return corners(at, 4, 4.2, M_PI / 4);
    case Marker::kUp:
      return corners(at, 3, 4.4, 0);
    case Marker::kDown:
      return corners(at, 3, 4.4, M_PI);
    case Marker::kDiamond:
      return corners(at, 4, 4.6, 0);
    default:
      return corners(at, 24, 3.3, 0);
  }
}

// Two strokes that cross, on white ones, so that the line itself does not fill them up.
void draw_crossed(Canvas& canvas, const Point& at, double turned, Colour colour) {
  const std::vector<Point> ends = corners(at, 4, 4.4, turned);
  for (const auto& [ink, width] : {std::pair(kWhite, 4.5), std::pair(colour, 1.8)}) {
    canvas.line({ends[0], ends[2]}, {ink, width, {}});
    canvas.line({ends[1], ends[3]}, {ink, width, {}});
  }
}

}  // namespace

Stroke line_stroke(size_t style) {
  return {kLineColours[style % std::size(kLineColours)], 1.8,
          kLineDashes[style % std::size(kLineDashes)]};
}

void draw_marker(Canvas& canvas, const Point& at, size_t style) {
  const auto marker = static_cast<Marker>(style % kMarkers);
  const Colour colour = line_stroke(style).colour;
  if (marker == Marker::kCross || marker == Marker::kPlus)
    return draw_crossed(canvas, at, marker == Marker::kPlus ? 0 : M_PI / 4, colour);
  std::vector<Point> outline = outline_of(marker, at);
  canvas.area(outline, colour, 1);
  outline.push_back(outline.front());
  canvas.line(outline, {kWhite, 0.6, {}});
}

}  // namespace vitrine
