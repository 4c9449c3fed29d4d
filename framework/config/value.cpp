#include "framework/config/value.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/config/brackets.h"
#include "framework/config/problems.h"
#include "framework/config/references.h"
#include "framework/config/scalar.h"
#include "framework/config/yaml.h"
#include "framework/error.h"

namespace vitrine {
namespace {

constexpr const char* kBlank = " \t\r\n";
// Stands for "#" while YAML is read, where it would begin a comment. No text may contain it.
constexpr char kHash = '\x01';

[[noreturn]] void refuse_value(const Location& place, std::string_view text, const std::string& key,
                               const std::string& hint) {
  constexpr size_t kMostLetters = 100;
  const std::string_view start = text.substr(0, byte_of_letter(text, kMostLetters));
  refuse(place,
         fmt::format("{}: cannot be read as one value: {}{}", escape(key), escape(start),
                     start.size() < text.size() ? "..." : ""),
         hint);
}

// Whether a line is a mark between documents: "---" or "...".
bool has_document_mark(std::string_view text) {
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    const bool is_mark = line.starts_with("---") || line.starts_with("...");
    if (is_mark && (line.size() == 3 || std::string_view(kBlank).find(line[3]) != line.npos))
      return true;
    begin = end + 1;
  }
  return false;
}

void put_back_hashes(Node& node) {
  std::replace(node.key.begin(), node.key.end(), kHash, '#');
  if (!node.quoted) {
    std::replace(node.scalar.begin(), node.scalar.end(), kHash, '#');
    std::replace(node.refers.begin(), node.refers.end(), kHash, '#');
  }
  for (Node& child : node.children) put_back_hashes(child);
}

// A list, a mapping or a text in quotes.
Node parse_enclosed(std::string_view text, const std::shared_ptr<const Source>& source,
                    size_t column, const std::string& key) {
  const Location place = {source, 0, static_cast<int>(column)};
  const Brackets brackets = scan_brackets(text);
  if (brackets.open)
    refuse(place, fmt::format("{}: the bracket {} is not closed", escape(key), text[0]));
  if (brackets.end && *brackets.end < text.size()) {
    const char* what = text[0] == '"' || text[0] == '\'' ? "quote" : "bracket";
    refuse_value(place, text, key,
                 fmt::format("behind the {} that ends the value stands more; a text with such "
                             "letters is put in quotes as a whole",
                             what));
  }
  std::string masked(text);
  for (const size_t hash : brackets.bare_hashes) masked[hash] = kHash;
  Node out = parse_yaml_value(masked, source, column);
  put_back_hashes(out);
  return out;
}

}  // namespace

Node parse_value(std::string_view text, const std::shared_ptr<const Source>& source, size_t column,
                 const std::string& key) {
  check_text(source);
  const size_t begin = std::min(text.find_first_not_of(kBlank), text.size());
  text = text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin);
  column += text.empty() ? 0 : begin;
  const Location place = {source, 0, static_cast<int>(column)};
  if (!text.empty() && std::string_view("[{\"'").find(text[0]) != text.npos)
    return parse_enclosed(text, source, column, key);
  if (!text.empty() && std::string_view("&*!").find(text[0]) != text.npos) {
    refuse_value(place, text, key,
                 fmt::format("{} begins an anchor, an alias or a tag of YAML; a text that begins "
                             "so is put in quotes, '\"{}...\"'",
                             text[0], text[0]));
  }
  if (has_document_mark(text)) {
    refuse_value(place, text, key,
                 "--- and ... part documents of YAML; such a text is put in quotes");
  }
  Node out = is_null_word(text) ? Node::null() : Node::plain(std::string(text));
  if (text == "~") out.scalar = "~";
  out.location = place;
  note_references(out);
  return out;
}

}  // namespace vitrine
