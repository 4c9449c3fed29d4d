#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "framework/drawing/heading.h"
#include "framework/drawing/picture.h"
#include "framework/error.h"
#include "framework/files/html.h"
#include "framework/images/encode.h"

namespace vitrine {
namespace {

// "12.5": two decimals at most, in every locale.
std::string length_text(double value) {
  std::string out = fmt::format("{:.2f}", std::abs(value) < 0.005 ? 0 : value);
  out.erase(out.find_last_not_of('0') + 1);
  if (out.back() == '.') out.pop_back();
  return out;
}

std::string hex(Colour colour) {
  return fmt::format("#{:02x}{:02x}{:02x}", colour.red, colour.green, colour.blue);
}

std::string box_text(const Box& box) {
  return fmt::format("x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"", length_text(box.x),
                     length_text(box.y), length_text(box.width), length_text(box.height));
}

std::string points_text(const std::vector<Point>& points) {
  std::string out;
  for (const Point& point : points)
    out += (out.empty() ? "" : " ") + length_text(point.x) + "," + length_text(point.y);
  return out;
}

std::string stroke_text(const Stroke& stroke) {
  std::string dashes;
  for (const double each : stroke.dashes) dashes += (dashes.empty() ? "" : ",") + length_text(each);
  return fmt::format("fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"{}", hex(stroke.colour),
                     length_text(stroke.width),
                     dashes.empty() ? "" : " stroke-dasharray=\"" + dashes + "\"");
}

// Each pixel as a rectangle of several: viewers smooth what they enlarge, and with more pixels
// there is less to smooth.
Image enlarged(const Image& image) {
  constexpr int64_t kSide = 256;
  const int64_t across = std::max<int64_t>(1, kSide / image.width),
                down = std::max<int64_t>(1, kSide / image.height);
  Image out{image.width * across, image.height * down, image.channels, {}};
  out.pixels.reserve(static_cast<size_t>(out.width * out.height * out.channels));
  for (int64_t y = 0; y < out.height; ++y) {
    for (int64_t x = 0; x < out.width; ++x) {
      const auto from =
          image.pixels.begin() + (y / down * image.width + x / across) * image.channels;
      out.pixels.insert(out.pixels.end(), from, from + image.channels);
    }
  }
  return out;
}

// Elements of an SVG; text stays text, so that it is found, read aloud and edited.
class SvgCanvas : public Canvas {
 public:
  void fill(const Box& box, Colour colour) override {
    add("<rect {} fill=\"{}\"/>", box_text(box), hex(colour));
  }
  void frame(const Box& box, const Stroke& stroke) override {
    add("<rect {} {}/>", box_text(box), stroke_text(stroke));
  }
  void line(const std::vector<Point>& points, const Stroke& stroke) override {
    if (points.empty()) return;
    if (points.size() == 1) {
      add("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\"/>", length_text(points[0].x),
          length_text(points[0].y), length_text(1.5 * stroke.width), hex(stroke.colour));
      return;
    }
    add("<polyline points=\"{}\" {} stroke-linejoin=\"round\"{}/>", points_text(points),
        stroke_text(stroke), stroke.dashes.empty() ? " stroke-linecap=\"round\"" : "");
  }
  void area(const std::vector<Point>& outline, Colour colour, double opacity) override {
    add("<polygon points=\"{}\" fill=\"{}\" fill-opacity=\"{}\"/>", points_text(outline),
        hex(colour), length_text(opacity));
  }
  void text(const Point& at, const std::string& text, const TextStyle& style) override;
  void image(const Box& box, const Image& image) override {
    add("<image {} preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" "
        "xlink:href=\"{}\"/>",
        box_text(box), data_uri("image/png", encode_png(enlarged(image))));
  }
  void clip(const Box& box, const std::function<void()>& draw) override {
    add("<svg {} viewBox=\"{} {} {} {}\">", box_text(box), length_text(box.x), length_text(box.y),
        length_text(box.width), length_text(box.height));
    draw();
    add("</svg>");
  }
  void shift(const Point& by, const std::function<void()>& draw) override {
    add("<g transform=\"translate({} {})\">", length_text(by.x), length_text(by.y));
    draw();
    add("</g>");
  }

  std::string elements;

 private:
  template <class... Parts>
  void add(fmt::format_string<Parts...> format, Parts&&... parts) {
    elements += fmt::format(format, std::forward<Parts>(parts)...) + "\n";
  }
};

void SvgCanvas::text(const Point& at, const std::string& text, const TextStyle& style) {
  if (text.empty()) return;
  const char* anchor = style.align == Align::kLeft     ? ""
                       : style.align == Align::kCentre ? " text-anchor=\"middle\""
                                                       : " text-anchor=\"end\"";
  // From the middle of a line of the font down to what its letters stand on.
  const double drop = 0.346 * style.size;
  const std::string place =
      style.upwards ? fmt::format("x=\"0\" y=\"{}\" transform=\"translate({} {}) rotate(-90)\"",
                                  length_text(drop), length_text(at.x), length_text(at.y))
                    : fmt::format("x=\"{}\" y=\"{}\"", length_text(at.x), length_text(at.y + drop));
  add("<text {} font-size=\"{}\" fill=\"{}\"{}{}>{}</text>", place, length_text(style.size),
      hex(style.colour), anchor, style.bold ? " font-weight=\"bold\"" : "", html(escape(text)));
}

}  // namespace

std::string to_svg(const Picture& picture) {
  const Picture page = with_words(picture);
  SvgCanvas canvas;
  page.draw(canvas);
  std::string meaning = picture.subject;
  for (const std::string& each : picture.notes) meaning += (meaning.empty() ? "" : "\n") + each;
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" "
      "width=\"{0}px\" height=\"{1}px\" viewBox=\"0 0 {0} {1}\" role=\"img\" "
      "font-family=\"DejaVu Sans, Verdana, Arial, sans-serif\">\n",
      length_text(page.width), length_text(page.height));
  if (!picture.title.empty()) out += "<title>" + html(picture.title) + "</title>\n";
  if (!meaning.empty()) out += "<desc>" + html(meaning) + "</desc>\n";
  out += fmt::format("<rect width=\"{}\" height=\"{}\" fill=\"#ffffff\"/>\n",
                     length_text(page.width), length_text(page.height));
  return out + canvas.elements + "</svg>\n";
}

}  // namespace vitrine
