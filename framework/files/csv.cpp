#include "framework/files/csv.h"

#include <algorithm>

#include "framework/error.h"

namespace vitrine {
namespace {

constexpr size_t kMostCells = 1'000'000;

}  // namespace

CsvReader::CsvReader(std::string_view bytes, std::string_view name) : rest_(bytes), name_(name) {
  if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);  // the mark of UTF-8
  const std::string_view first = rest_.substr(0, rest_.find('\n'));
  for (const char other : {';', '\t'}) {
    if (first.find(',') == first.npos && first.find(other) != first.npos) separator_ = other;
  }
}

void CsvReader::fail(const std::string& problem) const {
  refuse_data(name_, "line " + std::to_string(line_) + ": " + problem);
}

// Behind its first quote; leaves what follows the last one.
std::string_view CsvReader::quoted_cell() {
  rest_.remove_prefix(1);
  std::string* cell = nullptr;  // where it has quotes of its own
  for (size_t from = 0;;) {
    const size_t at = rest_.find('"', from);
    if (at == rest_.npos) fail("a quote is not closed");
    const bool is_doubled = at + 1 < rest_.size() && rest_[at + 1] == '"';
    if (is_doubled && !cell) cell = &unquoted_.emplace_back();
    if (cell) cell->append(rest_.substr(from, at - from + (is_doubled ? 1 : 0)));
    from = at + 2;
    if (is_doubled) continue;
    const std::string_view whole = rest_.substr(0, at);
    next_line_ += std::count(whole.begin(), whole.end(), '\n');
    rest_.remove_prefix(at + 1);
    return cell ? std::string_view(*cell) : whole;
  }
}

bool CsvReader::next(std::vector<std::string_view>& cells) {
  cells.clear();
  unquoted_.clear();
  while (rest_.starts_with('\n') || rest_.starts_with("\r\n")) {
    rest_.remove_prefix(rest_[0] == '\n' ? 1 : 2);
    ++next_line_;
  }
  if (rest_.empty()) return false;
  line_ = next_line_++;
  for (;;) {
    if (cells.size() == kMostCells) fail("it has more than a million cells");
    if (rest_.starts_with('"')) {
      cells.push_back(quoted_cell());
    } else {
      size_t end = 0;
      while (end < rest_.size() && rest_[end] != separator_ && rest_[end] != '\n') ++end;
      const bool ends_line = end == rest_.size() || rest_[end] == '\n';
      const bool has_return = ends_line && end > 0 && rest_[end - 1] == '\r';
      cells.push_back(rest_.substr(0, has_return ? end - 1 : end));
      rest_.remove_prefix(end);
    }
    if (rest_.starts_with("\r\n")) rest_.remove_prefix(1);
    if (rest_.empty()) return true;
    const char after = rest_[0];
    if (after != separator_ && after != '\n') fail("there is text behind a quote");
    rest_.remove_prefix(1);
    if (after == '\n') return true;
  }
}

std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return std::string(text);
  std::string out = "\"";
  for (const char letter : text) out += letter == '"' ? "\"\"" : std::string(1, letter);
  return out + "\"";
}

}  // namespace vitrine
