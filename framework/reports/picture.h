#pragma once

#include <functional>
#include <string>
#include <vector>

#include "framework/files/png.h"

typedef struct _cairo cairo_t;

namespace vitrine {

struct Colour {
  uint8_t red = 0, green = 0, blue = 0;
};
inline constexpr Colour kInk{34, 34, 34}, kFaint{214, 214, 214}, kWhite{255, 255, 255};

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
  double width = 0;      // a longer line ends in an ellipsis; 0 is no limit
};

// What pictures are drawn with. Lengths are units of 1/96 inch (a pixel of a web page), from the
// left and from the top.
class Canvas {
 public:
  explicit Canvas(cairo_t* context) : context_(context) {}

  void fill(const Box& box, Colour colour);
  void frame(const Box& box, const Stroke& stroke);
  void line(const std::vector<Point>& points, const Stroke& stroke);  // a dot where there is one
  void area(const std::vector<Point>& outline, Colour colour, double opacity);
  // One line, which stands centred on the height of `at`.
  void text(const Point& at, const std::string& text, const TextStyle& style = {});
  void image(const Box& box, const Image& image);  // enlarged pixels are sharp rectangles
  void clip(const Box& box, const std::function<void()>& draw);  // nothing outside the box

 private:
  void set(const Stroke& stroke);
  void trace(const std::vector<Point>& points);

  cairo_t* context_;
};

double text_width(const std::string& text, double size);

struct Picture {
  double width = 0, height = 0;
  double resolution = 2;  // pixels of a PNG a unit
  std::function<void(Canvas&)> draw;
};

// On white. The same picture gives the same bytes, whatever the time and the locale (of several
// SVGs from one process the names inside differ); fonts are those of the machine. Throws Error(kUsage) where it would have more than kMaxPixels.
Image to_image(const Picture& picture);
std::string to_svg(const Picture& picture);

}  // namespace vitrine
