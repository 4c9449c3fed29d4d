#include "framework/drawing/heading.h"

#include <algorithm>
#include <memory>

namespace vitrine {
namespace {

constexpr double kTitleSize = 14, kTitleLine = 19, kNoteSize = 11, kNoteLine = 15;
constexpr double kPageEdge = 10, kNarrowest = 380;  // of a page whose words would need it
constexpr Colour kQuiet{80, 80, 80};

// Words in lines, and where the drawing stands between them.
struct Words {
  std::vector<std::string> title, subject, notes;
  double width = 0, above = 0, below = 0;

  double height(double drawing) const { return above + drawing + below; }
};

void add_wrapped(std::vector<std::string>& lines, const std::string& text, double size,
                 double width) {
  if (text.empty()) return;
  for (std::string& line : wrapped(text, size, width)) lines.push_back(std::move(line));
}

double longest_of(const Picture& picture) {
  double out =
      std::max(text_width(picture.title, kTitleSize, true), text_width(picture.subject, kNoteSize));
  for (const std::string& each : picture.notes) out = std::max(out, text_width(each, kNoteSize));
  return out > 0 ? out + 2 * kPageEdge : 0;
}

Words words_of(const Picture& picture) {
  Words out;
  out.width = std::max(picture.width, std::min(longest_of(picture), kNarrowest));
  const double room = out.width - 2 * kPageEdge;
  // A bold line is some eighth wider than the same in the plain font that lines are measured in.
  add_wrapped(out.title, picture.title, 1.13 * kTitleSize, room);
  add_wrapped(out.subject, picture.subject, kNoteSize, room);
  for (const std::string& each : picture.notes) add_wrapped(out.notes, each, kNoteSize, room);
  const auto lines = [](const auto& each) { return static_cast<double>(each.size()); };
  if (!out.title.empty() || !out.subject.empty())
    out.above = kPageEdge + kTitleLine * lines(out.title) + kNoteLine * lines(out.subject);
  if (!out.notes.empty()) out.below = kNoteLine * lines(out.notes) + kPageEdge;
  return out;
}

void draw_lines_of(Canvas& canvas, const std::vector<std::string>& lines, double line_height,
                   const TextStyle& style, double& y) {
  for (const std::string& line : lines) {
    canvas.text({kPageEdge, y + line_height / 2}, line, style);
    y += line_height;
  }
}

}  // namespace

Picture with_words(const Picture& picture) {
  const Words words = words_of(picture);
  Picture out = picture;
  out.width = words.width;
  out.height = words.height(picture.height);
  out.draw = [words, height = picture.height, drawing = picture.draw](Canvas& canvas) {
    double y = kPageEdge;
    draw_lines_of(canvas, words.title, kTitleLine, {.size = kTitleSize, .bold = true}, y);
    draw_lines_of(canvas, words.subject, kNoteLine, {.size = kNoteSize, .colour = kQuiet}, y);
    canvas.shift({0, words.above}, [&] { drawing(canvas); });
    y = words.above + height;
    draw_lines_of(canvas, words.notes, kNoteLine, {.size = kNoteSize, .colour = kQuiet}, y);
  };
  return out;
}

}  // namespace vitrine
