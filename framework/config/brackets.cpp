#include "framework/config/brackets.h"

namespace vitrine {

Brackets scan_brackets(std::string_view text) {
  int depth = 0;
  char quote = 0, before = ' ';
  Brackets found;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote) {
      if (c == quote) quote = 0;
    } else if ((c == '"' || c == '\'') &&
               std::string_view(" [{,:").find(before) != std::string_view::npos) {
      quote = c;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == ',' && depth == 0) {
      found.bare_commas.push_back(i);
    }
    before = c;
  }
  found.open = depth > 0 && (text.starts_with('[') || text.starts_with('{'));
  return found;
}

}  // namespace vitrine
