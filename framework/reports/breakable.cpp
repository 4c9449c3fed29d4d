#include "framework/reports/breakable.h"

#include "framework/comparing/text_table.h"
#include "framework/error.h"
#include "framework/files/html.h"

namespace vitrine {
namespace {

constexpr size_t kLongWord = 30;  // "key=value" of more letters may be broken

}  // namespace

std::string breakable(std::string_view text) {
  std::string out;
  for (const std::string& word : words_of(escape_lines(text))) {
    if (!out.empty()) out += ' ';
    const std::vector<std::string> parts = parts_of(word);
    const bool is_long = width_of(word) > kLongWord;
    for (const std::string& part : parts) {
      const bool has_hyphen = part.find('-') != part.npos && part.size() > 1;
      const bool after_equals = &part != parts.data() && (&part)[-1].ends_with('=');
      if (&part != parts.data() && (is_long || !after_equals)) out += "<wbr>";
      out += has_hyphen ? "<span class=\"name\">" + html(part) + "</span>" : html(part);
    }
  }
  return out;
}

}  // namespace vitrine
