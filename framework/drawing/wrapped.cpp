#include <algorithm>

#include "framework/drawing/canvas.h"

namespace vitrine {
namespace {

bool begins_character(const std::string& text, size_t at) {
  return at >= text.size() || (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
}

// How many bytes of `text` fit, whole characters, at least one.
size_t bytes_that_fit(const std::string& text, double size, double width) {
  size_t low = 1, high = text.size();
  while (!begins_character(text, low)) ++low;
  while (low < high) {  // text_width(low) fits, or is the least there is
    size_t middle = low + (high - low + 1) / 2;
    while (!begins_character(text, middle)) ++middle;
    if (text_width(text.substr(0, middle), size) <= width) {
      low = middle;
    } else {
      high = middle - 1;
      while (!begins_character(text, high)) --high;
    }
  }
  return low;
}

// Where to break before `end`: after a space, else after another mark; `end` where there is none.
size_t break_before(const std::string& text, size_t end) {
  if (const size_t space = text.rfind(' ', end); space != text.npos && space > 0) return space + 1;
  const size_t mark = text.find_last_of("_/=,:-", end - 1);
  return mark != text.npos && mark > 0 ? mark + 1 : end;
}

std::string without_spaces_at_end(std::string text) {
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace

std::vector<std::string> wrapped(const std::string& text, double size, double width, size_t most) {
  std::vector<std::string> out;
  std::string rest = text;
  while (text_width(rest, size) > width && rest.size() > 1) {
    const size_t fits = bytes_that_fit(rest, size, width);
    if (fits >= rest.size()) break;
    if (out.size() + 1 == most) {
      rest = rest.substr(0, bytes_that_fit(rest, size, width - text_width("…", size))) + "…";
      break;
    }
    const size_t end = std::min(break_before(rest, fits), rest.size());
    out.push_back(without_spaces_at_end(rest.substr(0, end)));
    rest = rest.substr(end);
  }
  if (!rest.empty() || out.empty()) out.push_back(rest);
  return out;
}

}  // namespace vitrine
