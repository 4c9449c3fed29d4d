#include <cmath>

#include "framework/error.h"
#include "framework/reports/grid.h"
#include "framework/reports/heat_map.h"
#include "framework/reports/line_chart.h"
#include "tests/catch.h"

namespace vitrine {
namespace {

using Pixel = std::vector<int>;

Pixel listed(const Colour& colour) { return {colour.red, colour.green, colour.blue}; }

Pixel pixel(const Image& image, int64_t x, int64_t y) {
  const auto at = static_cast<size_t>(image.channels * (y * image.width + x));
  return {image.pixels[at], image.pixels[at + 1], image.pixels[at + 2]};
}

Picture page(double width, double height, const std::function<void(Canvas&)>& draw) {
  return {width, height, 2, draw};
}

}  // namespace

TEST_CASE("scales begin and end with the palette's colours and stay there") {
  const Scale viridis{Palette::kViridis, 0, 2};
  CHECK(listed(viridis(0)) == Pixel{68, 1, 84});
  CHECK(listed(viridis(1)) == Pixel{33, 144, 141});
  CHECK(listed(viridis(2)) == Pixel{253, 231, 37});
  CHECK(listed(viridis(-5)) == listed(viridis(0)));
  CHECK(listed(viridis(9)) == listed(viridis(2)));
  CHECK(listed(viridis(NAN)) == listed(kFaint));
  CHECK(listed(Scale{Palette::kViridis, 0, INFINITY}(INFINITY)) == listed(kFaint));
  const Scale diverging{Palette::kDiverging, -1, 1};
  CHECK(listed(diverging(0)) == Pixel{247, 247, 247});
  CHECK(diverging(-0.5).blue > diverging(-0.5).red);
  CHECK(diverging(0.5).red > diverging(0.5).blue);
  CHECK(listed(Scale{Palette::kHot, 3, 3}(3)) == Pixel{11, 0, 0});  // no range
}

TEST_CASE("an overlay keeps colours over dark pixels and lets bright ones shine through") {
  const Image image{4, 2, 1, {0, 0, 0, 0, 255, 0, 0, 0}};
  const Scale scale{Palette::kViridis, 0, 1};
  const Image out = overlay(image, {{0, 1}}, scale);
  REQUIRE(out.channels == 3);
  CHECK(pixel(out, 0, 0) == Pixel{68, 1, 84});
  CHECK(pixel(out, 1, 1) == Pixel{68, 1, 84});
  CHECK(pixel(out, 2, 0) == Pixel{253, 231, 37});
  CHECK(pixel(out, 0, 1) == Pixel{180, 153, 187});  // 0.4 of 68, 1, 84 and 0.6 of 255
}

TEST_CASE("images keep their pixels on a page that is white elsewhere") {
  const Image image{2, 1, 3, {1, 2, 3, 250, 128, 0}};
  const Image out = to_image(page(10.3, 4, [&](Canvas& canvas) {
    canvas.image({1, 1, 4, 2}, image);
  }));
  CHECK(out.width == 21);
  CHECK(out.height == 8);
  CHECK(pixel(out, 2, 2) == Pixel{1, 2, 3});
  CHECK(pixel(out, 5, 5) == Pixel{1, 2, 3});
  CHECK(pixel(out, 6, 2) == Pixel{250, 128, 0});
  CHECK(pixel(out, 9, 5) == Pixel{250, 128, 0});
  for (const int64_t x : {int64_t{1}, int64_t{10}, int64_t{20}})
    CHECK(pixel(out, x, 4) == Pixel{255, 255, 255});
}

TEST_CASE("text is drawn where it belongs, and cut off where there is no room") {
  const double width = text_width("learning", 10);
  CHECK(width > 30);
  CHECK(width < 60);
  const auto darkest_column = [](const Image& image, bool last) {
    int64_t found = -1;
    for (int64_t x = 0; x < image.width; ++x) {
      for (int64_t y = 0; y < image.height; ++y) {
        if (pixel(image, x, y)[0] < 128 && (last || found < 0)) found = x;
      }
    }
    return found;
  };
  const auto drawn = [&](const TextStyle& style) {
    return to_image(page(100, 20, [=](Canvas& canvas) {
      canvas.text({50, 10}, "learning", style);
    }));
  };
  const Image left = drawn({}), right = drawn({.align = Align::kRight});
  CHECK(std::abs(darkest_column(left, false) - 100) < 4);
  CHECK(std::abs(darkest_column(left, true) - (100 + 2 * width)) < 6);
  CHECK(std::abs(darkest_column(right, true) - 100) < 4);
  CHECK(darkest_column(drawn({.width = 20}), true) < 142);
}

TEST_CASE("strings cannot leave their place in an SVG") {
  const Picture picture = page(100, 20, [](Canvas& canvas) {
    canvas.text({0, 10}, "<script>\x1b[31m\n\xff&");
    canvas.line({{0, 0}, {1, 1}}, {});
  });
  const std::string svg = to_svg(picture);
  CHECK(svg.find("script") == svg.npos);
  CHECK_THAT(svg, Contains("width=\"100px\" height=\"20px\" viewBox=\"0 0 100 20\""));
  CHECK_THAT(svg, EndsWith("</svg>\n"));
}

TEST_CASE("a picture that is too large is refused before it is drawn") {
  const Picture picture = page(16'000, 2'001, [](Canvas&) { FAIL("drawn"); });
  CHECK_THROWS_WITH(to_image(picture),
                    "a picture of 32000 x 4002 pixels is too large: at most 32767 along a side and "
                    "64000000 in all can be drawn");
}

TEST_CASE("ticks are round numbers within the range") {
  using Ticks = std::vector<double>;
  CHECK(ticks_between(0.9, 5.1, 8, true) == Ticks{1, 2, 3, 4, 5});
  CHECK(ticks_between(0.9, 5.1, 8, false) == Ticks{1, 2, 3, 4, 5});
  CHECK(ticks_between(0.9, 2.1, 8, true) == Ticks{1, 2});
  CHECK(ticks_between(0, 2345, 8, true) == Ticks{0, 500, 1000, 1500, 2000});
  CHECK(ticks_between(-3, 3, 3, false) == Ticks{-2, 0, 2});
}

TEST_CASE("a chart draws each line and its band in its colour") {
  ChartLine rising{"rising", 0, {{0, 0}, {10, 10}}, {-1, 9}, {1, 11}};
  ChartLine level{"level", 1, {{0, 5}, {10, 5}}, {}, {}};
  const Image image = to_image(draw(LineChart{"x", "y", true, "note", {rising, level}}));
  const auto has = [&](const Pixel& wanted) {
    for (int64_t y = 0; y < image.height; ++y) {
      for (int64_t x = 0; x < image.width; ++x) {
        const Pixel got = pixel(image, x, y);
        const auto near = [](int a, int b) { return std::abs(a - b) <= 1; };
        if (std::equal(got.begin(), got.end(), wanted.begin(), near)) return true;
      }
    }
    return false;
  };
  CHECK(has({0, 114, 178}));
  CHECK(has({213, 94, 0}));
  CHECK(has({209, 230, 241}));  // 0.18 of the first colour over white
  CHECK_FALSE(has({0, 158, 115}));
}

TEST_CASE("rows of a grid take the lines of their captions and the gap of a group") {
  const Image dot{1, 1, 1, {0}};
  Grid grid;
  grid.rows = {
      {"", {{dot, {"one", "two"}}}, true}, {"", {{dot, {}}}, true}, {"", {{dot, {}}}, false}};
  const Picture picture = draw(grid);
  CHECK(picture.width == 10 + 84 + 10);
  CHECK(picture.height == 10 + (84 + 2 * 12) + 6 + 10 + 84 + 6 + 84 + 10);
  const Image image = to_image(picture);
  CHECK(pixel(image, 2 * (10 + 42), 2 * (10 + 108 + 6 + 10 + 42)) == Pixel{0, 0, 0});
  CHECK(pixel(image, 2 * (10 + 42), 2 * (10 + 108 + 6 + 5)) == Pixel{255, 255, 255});
}

}  // namespace vitrine
