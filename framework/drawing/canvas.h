#pragma once

#include <functional>
#include <string>
#include <vector>

#include "framework/images/image.h"

namespace vitrine {

inline constexpr Colour kInk{34, 34, 34}, kFaint{214, 214, 214};

struct Point {
  double x = 0, y = 0;
};
struct Box {
  double x = 0, y = 0, width = 0, height = 0;
};

enum class Align { kLeft, kCentre, kRight };

struct Stroke {
  Colour colour = kInk;
  double width = 1;
  std::vector<double> dashes;  // lengths of strokes and gaps in turn; none is a whole line
};

struct TextStyle {
  double size = 10;  // of the font
  Align align = Align::kLeft;
  Colour colour = kInk;
  bool upwards = false;  // read from below, as along a vertical axis
  bool bold = false;
};

// What pictures are drawn with. Lengths are units of 1/96 inch (a pixel of a web page), from the
// left and from the top.
class Canvas {
 public:
  virtual ~Canvas() = default;

  virtual void fill(const Box& box, Colour colour) = 0;
  virtual void frame(const Box& box, const Stroke& stroke) = 0;
  // A dot where there is one point.
  virtual void line(const std::vector<Point>& points, const Stroke& stroke) = 0;
  virtual void area(const std::vector<Point>& outline, Colour colour, double opacity) = 0;
  // One line, which stands centred on the height of `at`.
  virtual void text(const Point& at, const std::string& text, const TextStyle& style = {}) = 0;
  virtual void image(const Box& box, const Image& image) = 0;  // pixels are sharp rectangles
  virtual void clip(const Box& box, const std::function<void()>& draw) = 0;  // nothing outside
  virtual void shift(const Point& by, const std::function<void()>& draw) = 0;
};

double text_width(const std::string& text, double size, bool bold = false);

// `text` in lines that are no wider than `width`: broken after a space, else after one of _/=,:-,
// and within a word only where it has none. What is beyond `most` lines ends in an ellipsis.
std::vector<std::string> wrapped(const std::string& text, double size, double width,
                                 size_t most = 12);

}  // namespace vitrine
