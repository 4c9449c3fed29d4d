#include "framework/config/brackets.h"

namespace vitrine {
namespace {

bool is_quote(char c) { return c == '"' || c == '\''; }

bool is_bracket(char c) { return c == '[' || c == '{'; }

// Behind the quoted text that begins at `begin`; the end of `text` where it is not closed.
size_t end_of_quote(std::string_view text, size_t begin) {
  const char quote = text[begin];
  for (size_t i = begin + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      const bool doubled = quote == '\'' && i + 1 < text.size() && text[i + 1] == quote;
      if (!doubled) return i + 1;
      ++i;
    }
  }
  return text.size() + 1;
}

}  // namespace

Brackets scan_brackets(std::string_view text) {
  int depth = 0;
  char before = ' ';
  Brackets found;
  const bool begins = !text.empty() && (is_quote(text[0]) || is_bracket(text[0]));
  const auto close = [&](size_t end) {
    if (begins && depth == 0 && !found.end && end <= text.size()) found.end = end;
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_quote(c) && std::string_view(" [{,:").find(before) != std::string_view::npos) {
      const size_t end = end_of_quote(text, i);
      close(end);
      i = end - 1;
    } else if (is_bracket(c)) {
      ++depth;
    } else if (c == ']' || c == '}') {
      --depth;
      close(i + 1);
    } else if (c == ',' && depth == 0) {
      found.bare_commas.push_back(i);
    } else if (c == '#') {
      found.bare_hashes.push_back(i);
    }
    before = c;
  }
  found.open = depth > 0 && begins && is_bracket(text[0]);
  return found;
}

}  // namespace vitrine
