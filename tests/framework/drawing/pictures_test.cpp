#include <cmath>
#include <set>

#include "framework/drawing/grid.h"
#include "framework/drawing/heat_chart.h"
#include "framework/drawing/line_chart.h"
#include "framework/drawing/numbers.h"
#include "framework/drawing/ticks.h"
#include "framework/error.h"
#include "framework/files/json.h"
#include "framework/images/encode.h"
#include "tests/catch.h"
#include "tests/framework/drawing/svg.h"

namespace vitrine {
namespace {

using Pixel = std::vector<int>;

Pixel listed(const Colour& colour) { return {colour.red, colour.green, colour.blue}; }

Pixel pixel(const Image& image, int64_t x, int64_t y) {
  const auto at = static_cast<size_t>(image.channels * (y * image.width + x));
  return {image.pixels[at], image.pixels[at + 1], image.pixels[at + 2]};
}

Picture page(double width, double height, const std::function<void(Canvas&)>& draw) {
  Picture out;
  out.width = width;
  out.height = height;
  out.draw = draw;
  return out;
}

// Fonts decide where words are wrapped.
std::string together(const std::vector<std::string>& texts, const char* between) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : between) + text;
  return out;
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
  CHECK(listed(Scale{Palette::kGrey, -1, 1}(0)) == Pixel{128, 128, 128});
  CHECK(listed(Scale{Palette::kDiverging, 0, 0}(0)) == Pixel{247, 247, 247});  // no range
  CHECK(listed(Scale{Palette::kDiverging, -1, 1}(INFINITY)) == listed(kFaint));
}

TEST_CASE("a scale of values leaves out what is no finite number, and a note tells of it") {
  const Values values = {{NAN, -2}, {INFINITY, 1}};
  const Scale rising = scale_of(values, Palette::kViridis),
              diverging = scale_of(values, Palette::kDiverging);
  CHECK(std::pair(rising.low, rising.high) == std::pair(-2.0, 1.0));
  CHECK(std::pair(diverging.low, diverging.high) == std::pair(-2.0, 2.0));  // 0 is white
  CHECK(note_on_gaps(values) == "Grey: 2 values that are no finite numbers.");
  CHECK(note_on_gaps({{NAN}}) == "Grey: one value that is no finite number.");
  CHECK(note_on_gaps({{1}}) == "");
  CHECK(scale_of({{NAN}}, Palette::kViridis).high == 0);
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

TEST_CASE("text is drawn where it belongs") {
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
}

TEST_CASE("what is too long for a line goes on in the next, and no name is cut") {
  using Lines = std::vector<std::string>;
  const double width = text_width("a_run_with", 11) + 1;
  CHECK(wrapped("a_run_with", 11, width) == Lines{"a_run_with"});
  CHECK(wrapped("a_run_with_a_name", 11, width) == Lines{"a_run_", "with_a_", "name"});
  CHECK(wrapped("words and words", 11, width) == Lines{"words and", "words"});
  CHECK(wrapped("", 11, width) == Lines{""});
  // Letters without a mark: whole ones, also where one takes several bytes.
  std::string together;
  for (const std::string& line : wrapped("ääääääääääääääääääää", 11, width)) {
    CHECK(text_width(line, 11) <= width);
    together += line;
  }
  CHECK(together == "ääääääääääääääääääää");
  CHECK(wrapped("W", 11, 1) == Lines{"W"});
  const Lines cut = wrapped(std::string(10'000, 'x'), 11, width, 3);
  REQUIRE(cut.size() == 3);
  CHECK_THAT(cut[2], EndsWith("x…"));
}

TEST_CASE("strings cannot leave their place in an SVG") {
  Picture picture = page(100, 20, [](Canvas& canvas) {
    canvas.text({0, 10}, "<script>\x1b[31m\n\xff&");
    canvas.line({{0, 0}, {1, 1}}, {});
  });
  const std::string svg = to_svg(picture);
  CHECK_THAT(svg, Contains(">&lt;script&gt;\\x1b[31m\\n\\xff&amp;</text>"));
  CHECK_THAT(svg, Contains("width=\"100px\" height=\"20px\" viewBox=\"0 0 100 20\""));
  CHECK_THAT(svg, EndsWith("</svg>\n"));
  picture.title = "</title><script>";
  CHECK_THAT(to_svg(picture), Contains("<title>&lt;/title&gt;&lt;script&gt;</title>"));
}

TEST_CASE("words stand around the drawing, on a page that is wide enough for them") {
  Picture picture = page(30, 20, [](Canvas& canvas) { canvas.fill({0, 0, 30, 20}, kInk); });
  CHECK(to_image(picture).width == 60);  // no words, no page around it
  picture.title = "A title";
  picture.subject = "of a run";
  picture.notes = {
      "What the colours mean, in more words than fit on a line of this page, so that "
      "they go on below it.",
      "Another."};
  const std::string svg = to_svg(picture);
  const auto texts = svg_texts(svg);
  CHECK(together(texts, " ") ==
        "A title of a run What the colours mean, in more words than fit on a line of this page, so "
        "that they go on below it. Another.");
  const auto notes = static_cast<int64_t>(texts.size()) - 2;
  CHECK(notes > 2);
  CHECK_THAT(svg, Contains("<title>A title</title>\n<desc>of a run\nWhat the colours mean"));
  // 10 above the title, 19 for it, 15 for each other line, 10 below them.
  const Image image = to_image(picture);
  CHECK(image.width == 2 * 380);
  CHECK(image.height == 2 * (10 + 19 + 15 + 20 + notes * 15 + 10));
  CHECK(pixel(image, 0, 2 * 44) == listed(kInk));
  CHECK(pixel(image, 60, 2 * 44) == Pixel{255, 255, 255});
}

TEST_CASE("a page with too many pixels for a screen takes one a unit") {
  const auto nothing = [](Canvas&) {};
  CHECK(to_image(page(1000, 100, nothing)).width == 2000);
  CHECK(to_image(page(100, 8193, nothing)).height == 8193);
  Picture fixed = page(100, 8193, nothing);
  fixed.resolution = 1.5;
  CHECK(to_image(fixed).width == 150);
}

TEST_CASE("numbers of a picture have names, units and places") {
  Picture picture = page(10, 10, [](Canvas&) {});
  CHECK_THROWS_WITH(to_json(picture), "this picture gives no numbers: write a .png or a .svg");
  picture.title = "T";
  picture.notes = {"one", "two"};
  picture.numbers = [] {
    return json_of({{{"row", "patches", counted(2)}, {"name", "", {"a", "b"}}},
                    "time",
                    "s",
                    {0.1F, 2, NAN, -1e-9F}});
  };
  const std::string text = to_json(picture);
  CHECK(text == R"({
 "format": 1,
 "title": "T",
 "subject": null,
 "notes": ["one","two"],
 "axes": [
  {
   "name": "row",
   "unit": "patches",
   "values": [0,1]
  },
  {
   "name": "name",
   "unit": null,
   "values": ["a","b"]
  }
 ],
 "value": {"name":"time","unit":"s"},
 "values": [
  [0.1,2.0],
  [null,-1e-09]
 ]
}
)");
  parse_json(text, "it");
  picture.numbers = [] {
    return json_of({{{"x", "", {}}}, "y", "", std::vector<float>(10'000'001)});
  };
  CHECK_THROWS_WITH(to_json(picture),
                    "a picture of 10000001 numbers is too large: a JSON file holds at most "
                    "10000000");
}

TEST_CASE("a picture that is too large is refused before it is drawn") {
  Picture picture = page(16'000, 2'001, [](Canvas&) { FAIL("drawn"); });
  picture.resolution = 2;
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
  CHECK(ticks_between(0.1 + 0.2, 0.3, 3, false) == Ticks{0.1 + 0.2});  // no range
  CHECK(ticks_between(0.4, 0.3 + 0.7, 4, false).size() == 4);          // 0.4, 0.6, 0.8, 1
  using Texts = std::vector<std::string>;
  CHECK(tick_texts(ticks_between(-0.5, 0.5, 4, false)) == Texts{"-0.5", "0.0", "0.5"});
  CHECK(tick_texts({-0.0}) == Texts{"0"});
  CHECK(tick_texts(ticks_between(-0.0, 7, 1, true)) == Texts{"0"});
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

TEST_CASE("lines differ by dashes or markers, not by colour alone") {
  std::set<std::string> seen;
  for (size_t style = 0; style < kLineStyles; ++style) {
    CAPTURE(style);
    const Picture picture = page(40, 20, [&](Canvas& canvas) {
      canvas.line({{0, 10}, {40, 10}}, line_stroke(style));
      draw_marker(canvas, {20, 10}, style);
    });
    Image grey = to_image(picture);
    for (size_t i = 0; i < grey.pixels.size(); i += 3) {
      const bool ink = grey.pixels[i] < 200 || grey.pixels[i + 1] < 200 || grey.pixels[i + 2] < 200;
      grey.pixels[i] = grey.pixels[i + 1] = grey.pixels[i + 2] = ink ? 0 : 255;
    }
    CHECK(seen.insert(encode_png(grey)).second);
  }
}

TEST_CASE("a chart names its axes, ticks and lines; long names take several lines") {
  const std::string name = "a_run_with_a_rather_long_name_that_somebody_gave_it_to_say_everything_";
  LineChart chart{"epoch", "train/loss (nats)", true, "mean over n seeds", {}};
  for (size_t i = 0; i < 12; ++i) {
    const double y = static_cast<double>(i);
    chart.lines.push_back({name + std::to_string(i), i, {{1, y}, {2, y + 1}, {3, y + 2}}, {}, {}});
  }
  const Picture picture = draw(chart);
  const auto texts = svg_texts(to_svg(picture));
  for (const char* text :
       {"epoch", "1", "2", "3", "train/loss (nats)", "0", "2", "12", "mean over n seeds"}) {
    CAPTURE(text);
    CHECK(std::find(texts.begin(), texts.end(), text) != texts.end());
  }
  const std::string all = together(texts, "");
  for (size_t i = 0; i < 12; ++i) CHECK_THAT(all, Contains(name + std::to_string(i)));
  // Twelve entries of two lines or more are higher than a chart of few lines.
  CHECK(picture.height >= 12 + 12 * (2 * 15 + 3) + 15 + 38 + 6);
  chart.lines.resize(1);
  CHECK(draw(chart).height == 12 + 300 + 38 + 6);
}

TEST_CASE("points at one place stand side by side") {
  LineChart chart{"epoch", "y", true, "", {}};
  for (size_t i = 0; i < 3; ++i) chart.lines.push_back({std::to_string(i), 0, {{1, 5}}, {}, {}});
  for (size_t i = 0; i < 3; ++i) chart.lines[i].style = 7 * i;  // all circles
  const std::string svg = to_svg(draw(chart));
  std::set<std::string> places;  // of the markers in the plot: 3 there, 3 in the legend
  for (size_t at = svg.find("<polygon"); at != svg.npos; at = svg.find("<polygon", at + 1))
    places.insert(svg.substr(at, svg.find(' ', svg.find("points", at)) - at));
  CHECK(places.size() == 6);
}

TEST_CASE("a heat chart has axes and a bar, and cells that can be seen") {
  HeatChart chart;
  chart.values = {{-1, 0, 1}, {NAN, 0.5, 0.25}};
  chart.bar = colour_bar(scale_of(chart.values, Palette::kDiverging), "weight (no unit)");
  chart.x.title = "dimension";
  chart.y = {"token", {{0, 1, "class"}, {1, 1, "row 0"}}};
  const Picture picture = draw(chart);
  const auto texts = svg_texts(to_svg(picture));
  CHECK(texts == std::vector<std::string>{"0", "1", "2", "dimension", "class", "row 0", "token",
                                          "-1.0", "-0.5", "0.0", "0.5", "1.0", "weight (no unit)"});
  const Image image = to_image(picture);
  const auto left = static_cast<int64_t>(2 * (10 + 15 + text_width("class", 11) + 3 + 4));
  CHECK(pixel(image, left + 28, 20 + 28) == listed(chart.bar.scale(-1)));
  CHECK(pixel(image, left + 5 * 28, 20 + 28) == listed(chart.bar.scale(1)));
  CHECK(pixel(image, left + 28, 20 + 3 * 28) == listed(kFaint));
  // As many numbers as there are pixels still have one each; labels that would overlap are left
  // out.
  chart.values = Values(2100, std::vector<float>(3, 1));
  chart.y.labels.clear();
  const Picture large = draw(chart);
  CHECK(to_image(large).height > 2100);
  CHECK(svg_texts(to_svg(large)).size() < 60);
}

TEST_CASE("rows of a grid take the lines of their captions and the gap of a group") {
  const Image dot{1, 1, 1, {0}};
  Grid grid;
  grid.rows = {
      {"", {{dot, {"one", "two"}}}, true}, {"", {{dot, {}}}, true}, {"", {{dot, {}}}, false}};
  const Picture picture = draw(grid);
  CHECK(picture.width == 10 + 84 + 10);
  CHECK(picture.height == 10 + (84 + 2 * 14) + 6 + 10 + 84 + 6 + 84 + 10);
  const Image image = to_image(picture);
  CHECK(pixel(image, 2 * (10 + 42), 2 * (10 + 112 + 6 + 10 + 42)) == Pixel{0, 0, 0});
  CHECK(pixel(image, 2 * (10 + 42), 2 * (10 + 112 + 6 + 5)) == Pixel{255, 255, 255});
}

TEST_CASE("no word of a caption is cut below a narrow tile") {
  Grid grid;
  grid.cell_width = 14;
  grid.columns = {"image"};
  grid.rows = {{"", {{{1, 1, 1, {0}}, {"test image 12", "predicted: ankle", "max 25.5 %"}}}, true}};
  CHECK(together(svg_texts(to_svg(draw(grid))), " ") ==
        "image test image 12 predicted: ankle max 25.5 %");
}

TEST_CASE("a caption runs on beside the rows below it, and the next group begins after it") {
  const Image dot{1, 1, 1, {0}};
  Grid grid;
  const GridRow second{"", {{}, {dot, {}}}, false};
  grid.rows = {{"", {{dot, {"one", "two", "three"}}, {dot, {"max"}}}, true}, second};
  CHECK(draw(grid).height == 10 + (84 + 14) + 6 + 84 + 10);
  grid.cell_height = 20;  // the three lines end below the second row
  CHECK(draw(grid).height == 10 + 20 + 3 * 14 + 10);
  grid.rows.push_back(grid.rows[0]);
  CHECK(draw(grid).height == 10 + (20 + 3 * 14) + 6 + 10 + (20 + 3 * 14) + 10);
}

}  // namespace vitrine
