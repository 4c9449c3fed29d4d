#include "framework/drawing/picture.h"

#include <cairo.h>
#include <fmt/format.h>
#include <pango/pangocairo.h>

#include <cmath>
#include <memory>

#include "framework/drawing/heading.h"
#include "framework/error.h"

namespace vitrine {
namespace {

template <auto release>
struct Release {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};
using Context = std::unique_ptr<cairo_t, Release<cairo_destroy>>;
using Surface = std::unique_ptr<cairo_surface_t, Release<cairo_surface_destroy>>;
using Layout = std::unique_ptr<PangoLayout, Release<g_object_unref>>;
using Font = std::unique_ptr<PangoFontDescription, Release<pango_font_description_free>>;

// Named, with a language, so that neither the locale nor a desktop's settings choose.
constexpr const char* kFont = "DejaVu Sans, sans-serif";

void check(cairo_status_t status) {
  if (status == CAIRO_STATUS_SUCCESS) return;
  if (status == CAIRO_STATUS_NO_MEMORY) throw std::bad_alloc();
  throw Error(ExitCode::kFailed,
              std::string("cannot draw a picture: ") + cairo_status_to_string(status));
}

void set_colour(cairo_t* context, Colour colour, double opacity = 1) {
  cairo_set_source_rgba(context, colour.red / 255.0, colour.green / 255.0, colour.blue / 255.0,
                        opacity);
}

Layout layout_of(cairo_t* context, const std::string& text, double size, bool bold) {
  Layout layout(pango_cairo_create_layout(context));
  PangoContext* pango = pango_layout_get_context(layout.get());
  pango_context_set_language(pango, pango_language_from_string("en"));
  pango_context_set_round_glyph_positions(pango, false);
  const std::unique_ptr<cairo_font_options_t, Release<cairo_font_options_destroy>> options(
      cairo_font_options_create());
  cairo_font_options_set_antialias(options.get(), CAIRO_ANTIALIAS_GRAY);
  cairo_font_options_set_hint_style(options.get(), CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics(options.get(), CAIRO_HINT_METRICS_OFF);
  pango_cairo_context_set_font_options(pango, options.get());
  const Font font(pango_font_description_from_string(kFont));
  pango_font_description_set_absolute_size(font.get(), size * PANGO_SCALE);
  if (bold) pango_font_description_set_weight(font.get(), PANGO_WEIGHT_BOLD);
  pango_layout_set_font_description(layout.get(), font.get());
  pango_layout_set_single_paragraph_mode(layout.get(), true);
  const std::string safe = escape(text);
  pango_layout_set_text(layout.get(), safe.data(), static_cast<int>(safe.size()));
  return layout;
}

Point size_of(PangoLayout* layout) {
  int width = 0, height = 0;
  pango_layout_get_size(layout, &width, &height);
  return {static_cast<double>(width) / PANGO_SCALE, static_cast<double>(height) / PANGO_SCALE};
}

Surface surface_of(const Image& image) {
  Surface surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(image.width),
                                             static_cast<int>(image.height)));
  check(cairo_surface_status(surface.get()));
  uint8_t* const rows = cairo_image_surface_get_data(surface.get());
  const int stride = cairo_image_surface_get_stride(surface.get());
  const uint8_t* from = image.pixels.data();
  for (int64_t y = 0; y < image.height; ++y) {
    auto* row = reinterpret_cast<uint32_t*>(rows + y * stride);
    for (int64_t x = 0; x < image.width; ++x, from += image.channels) {
      const bool grey = image.channels == 1;
      row[x] = static_cast<uint32_t>(from[0] << 16 | from[grey ? 0 : 1] << 8 | from[grey ? 0 : 2]);
    }
  }
  cairo_surface_mark_dirty(surface.get());
  return surface;
}

// Pixels.
class PixelCanvas : public Canvas {
 public:
  explicit PixelCanvas(cairo_t* context) : context_(context) {}

  void fill(const Box& box, Colour colour) override;
  void frame(const Box& box, const Stroke& stroke) override;
  void line(const std::vector<Point>& points, const Stroke& stroke) override;
  void area(const std::vector<Point>& outline, Colour colour, double opacity) override;
  void text(const Point& at, const std::string& text, const TextStyle& style) override;
  void image(const Box& box, const Image& image) override;
  void clip(const Box& box, const std::function<void()>& draw) override;
  void shift(const Point& by, const std::function<void()>& draw) override;

 private:
  void set(const Stroke& stroke);
  void trace(const std::vector<Point>& points);

  cairo_t* context_;
};

void PixelCanvas::fill(const Box& box, Colour colour) {
  set_colour(context_, colour);
  cairo_rectangle(context_, box.x, box.y, box.width, box.height);
  cairo_fill(context_);
}

void PixelCanvas::set(const Stroke& stroke) {
  set_colour(context_, stroke.colour);
  cairo_set_line_width(context_, stroke.width);
  cairo_set_line_join(context_, CAIRO_LINE_JOIN_ROUND);
  cairo_set_line_cap(context_, stroke.dashes.empty() ? CAIRO_LINE_CAP_ROUND : CAIRO_LINE_CAP_BUTT);
  cairo_set_dash(context_, stroke.dashes.data(), static_cast<int>(stroke.dashes.size()), 0);
}

void PixelCanvas::trace(const std::vector<Point>& points) {
  cairo_new_path(context_);
  for (const Point& point : points) cairo_line_to(context_, point.x, point.y);
}

void PixelCanvas::frame(const Box& box, const Stroke& stroke) {
  set(stroke);
  cairo_set_line_join(context_, CAIRO_LINE_JOIN_MITER);
  cairo_rectangle(context_, box.x, box.y, box.width, box.height);
  cairo_stroke(context_);
}

void PixelCanvas::line(const std::vector<Point>& points, const Stroke& stroke) {
  if (points.empty()) return;
  if (points.size() == 1) {
    set_colour(context_, stroke.colour);
    cairo_arc(context_, points[0].x, points[0].y, 1.5 * stroke.width, 0, 2 * M_PI);
    cairo_fill(context_);
    return;
  }
  set(stroke);
  trace(points);
  cairo_stroke(context_);
}

void PixelCanvas::area(const std::vector<Point>& outline, Colour colour, double opacity) {
  set_colour(context_, colour, opacity);
  trace(outline);
  cairo_close_path(context_);
  cairo_fill(context_);
}

void PixelCanvas::text(const Point& at, const std::string& text, const TextStyle& style) {
  const Layout layout = layout_of(context_, text, style.size, style.bold);
  const Point size = size_of(layout.get());
  const double left = style.align == Align::kLeft     ? 0
                      : style.align == Align::kCentre ? -size.x / 2
                                                      : -size.x;
  cairo_save(context_);
  cairo_translate(context_, at.x, at.y);
  if (style.upwards) cairo_rotate(context_, -M_PI / 2);
  cairo_move_to(context_, left, -size.y / 2);
  set_colour(context_, style.colour);
  pango_cairo_update_layout(context_, layout.get());
  pango_cairo_show_layout(context_, layout.get());
  cairo_restore(context_);
}

void PixelCanvas::image(const Box& box, const Image& image) {
  const Surface surface = surface_of(image);
  cairo_save(context_);
  cairo_translate(context_, box.x, box.y);
  cairo_scale(context_, box.width / static_cast<double>(image.width),
              box.height / static_cast<double>(image.height));
  cairo_set_source_surface(context_, surface.get(), 0, 0);
  double across = 1, down = 0;  // pixels of the page that a pixel of the image covers
  cairo_user_to_device_distance(context_, &across, &down);
  cairo_pattern_set_filter(cairo_get_source(context_),
                           across < 1 ? CAIRO_FILTER_GOOD : CAIRO_FILTER_NEAREST);
  cairo_rectangle(context_, 0, 0, static_cast<double>(image.width),
                  static_cast<double>(image.height));
  cairo_fill(context_);
  cairo_restore(context_);
}

void PixelCanvas::clip(const Box& box, const std::function<void()>& draw) {
  cairo_save(context_);
  cairo_rectangle(context_, box.x, box.y, box.width, box.height);
  cairo_clip(context_);
  draw();
  cairo_restore(context_);
}

void PixelCanvas::shift(const Point& by, const std::function<void()>& draw) {
  cairo_save(context_);
  cairo_translate(context_, by.x, by.y);
  draw();
  cairo_restore(context_);
}

void draw_on(cairo_surface_t* surface, const Picture& page, double resolution) {
  check(cairo_surface_status(surface));
  const Context context(cairo_create(surface));
  set_colour(context.get(), kWhite);
  cairo_paint(context.get());
  cairo_scale(context.get(), resolution, resolution);
  PixelCanvas canvas(context.get());
  page.draw(canvas);
  check(cairo_status(context.get()));
}

constexpr int64_t kMaxCairoSide = 32'767;  // cairo's

// What a screen shows and a browser opens, where the picture itself does not say.
double resolution_of(const Picture& page) {
  constexpr double kFine = 2, kSide = 16'384, kPixels = 32e6;
  if (page.resolution > 0) return page.resolution;
  const double width = kFine * page.width, height = kFine * page.height;
  return width <= kSide && height <= kSide && width * height <= kPixels ? kFine : 1;
}

}  // namespace

double text_width(const std::string& text, double size, bool bold) {
  const Surface surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, 1, 1));
  const Context context(cairo_create(surface.get()));
  return size_of(layout_of(context.get(), text, size, bold).get()).x;
}

Image to_image(const Picture& picture) {
  const Picture page = with_words(picture);
  const double resolution = resolution_of(page);
  const auto pixels = [&](double units) {
    return static_cast<int64_t>(std::ceil(units * resolution));
  };
  Image out{pixels(page.width), pixels(page.height), 3, {}};
  if (out.width > kMaxCairoSide || out.height > kMaxCairoSide ||
      out.width * out.height > kMaxPixels) {
    throw Error(ExitCode::kUsage,
                fmt::format("a picture of {} x {} pixels is too large: at most {} along a side and "
                            "{} in all can be drawn",
                            out.width, out.height, kMaxCairoSide, kMaxPixels));
  }
  const Surface surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(out.width),
                                                   static_cast<int>(out.height)));
  draw_on(surface.get(), page, resolution);
  cairo_surface_flush(surface.get());
  const uint8_t* const rows = cairo_image_surface_get_data(surface.get());
  const int stride = cairo_image_surface_get_stride(surface.get());
  out.pixels.reserve(static_cast<size_t>(out.width * out.height * 3));
  for (int64_t y = 0; y < out.height; ++y) {
    const auto* row = reinterpret_cast<const uint32_t*>(rows + y * stride);
    for (int64_t x = 0; x < out.width; ++x) {
      for (const int shift : {16, 8, 0}) out.pixels.push_back((row[x] >> shift) & 0xFF);
    }
  }
  return out;
}

}  // namespace vitrine
