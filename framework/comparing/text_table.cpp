#include "framework/comparing/text_table.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace vitrine {

namespace {

using Lines = std::vector<std::string>;

constexpr size_t kGap = 2;     // between columns
constexpr size_t kIndent = 2;  // of what is wrapped
// Texts are wrapped to these widths: the first before any column goes, the others where that is not
// enough.
constexpr size_t kShortText = 24, kShorterText = 12, kShortestText = 8;

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789.,-+%e []<±") == text.npos;
}

bool is_digit(const std::string& text, size_t at) {
  return at < text.size() && text[at] >= '0' && text[at] <= '9';
}

// Whether a word may be broken after this letter: not within a number such as 0.5 or 2/5.
bool ends_part(const std::string& word, size_t at) {
  if (std::string("/=,.").find(word[at]) == std::string::npos) return false;
  return word[at] == '=' || at == 0 || !is_digit(word, at - 1) || !is_digit(word, at + 1);
}

// Fills lines of at most `width` letters.
class Filler {
 public:
  explicit Filler(size_t width, size_t indent) : width_(width), indent_(indent) {}

  void add(const std::string& word) {
    if (fits(word, 1)) return append(word, 1);
    const bool on_own = width_of(word) + indent_ <= width_;
    if (on_own) return begin(word);
    size_t space = 1;
    for (const std::string& part : parts_of(word)) {
      fits(part, space) ? append(part, space) : begin(part);
      space = 0;
    }
  }

  Lines lines;

 private:
  bool fits(const std::string& text, size_t space) const {
    if (lines.empty()) return width_of(text) <= width_;
    return width_of(lines.back()) + space + width_of(text) <= width_;
  }
  void append(const std::string& text, size_t space) {
    if (lines.empty()) return lines.push_back(text);
    lines.back() += std::string(space, ' ') + text;
  }
  void begin(const std::string& text) {
    lines.push_back((lines.empty() ? "" : std::string(indent_, ' ')) + text);
  }

  size_t width_, indent_;
};

Lines lines_of(const std::string& text, size_t width, size_t indent = kIndent) {
  if (width_of(text) <= width) return {text};
  Filler filler(width, indent);
  for (const std::string& word : words_of(text)) filler.add(word);
  return filler.lines;
}

// The least width of a column that has this text in it.
size_t least_width(const std::string& text, size_t indent = kIndent) {
  size_t widest = 0, count = 0;
  for (const std::string& word : words_of(text)) {
    for (const std::string& part : parts_of(word)) {
      widest = std::max(widest, width_of(part) + (count++ ? indent : 0));
    }
  }
  return std::min(widest, width_of(text));
}

size_t natural_width(const TableColumn& column) {
  size_t out = 0;
  for (const std::string& cell : column.cells) out = std::max(out, width_of(cell));
  return out;
}

std::vector<size_t> natural_widths(const std::vector<TableColumn>& columns) {
  std::vector<size_t> out;
  for (const TableColumn& column : columns) out.push_back(natural_width(column));
  return out;
}

// Of a column whose heading is wrapped, and whose texts are where they are longer than `text`;
// numbers with their spread only where there is little room.
size_t tight_width(const TableColumn& column, size_t text) {
  size_t out = least_width(column.cells[0], 0);
  for (size_t i = 1; i < column.cells.size(); ++i) {
    const std::string& cell = column.cells[i];
    const size_t whole = width_of(cell);
    const bool stays_whole = is_number(cell) && text > kShortestText;
    out = std::max(out, stays_whole ? whole : std::max(least_width(cell), std::min(whole, text)));
  }
  return out;
}

size_t sum_of(const std::vector<size_t>& widths) {
  size_t out = 0;
  for (const size_t width : widths) out += width + (out ? kGap : 0);
  return out;
}

std::vector<size_t> tight_widths(const std::vector<TableColumn>& columns, size_t text) {
  std::vector<size_t> out;
  for (const TableColumn& column : columns) out.push_back(tight_width(column, text));
  return out;
}

// The column of the highest rank, the last of these; none where all are below `least`.
std::optional<size_t> first_to_go(const std::vector<TableColumn>& columns, int least) {
  std::optional<size_t> out;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].rank >= least && columns[i].rank != 0 &&
        (!out || columns[i].rank >= columns[*out].rank))
      out = i;
  }
  return out;
}

const std::string& full_heading(const TableColumn& column) {
  const std::string &one = column.cells[0], &other = column.short_heading;
  return one.size() < other.size() ? other : one;
}

// Takes columns out until the rest fits.
void drop(std::vector<TableColumn>& columns, std::vector<size_t>& widths, size_t width, int least) {
  while (sum_of(widths) > width) {
    const auto i = first_to_go(columns, least);
    if (!i) break;
    columns.erase(columns.begin() + static_cast<std::ptrdiff_t>(*i));
    widths.erase(widths.begin() + static_cast<std::ptrdiff_t>(*i));
  }
}

// What a column takes whose texts are wrapped to `width`.
size_t width_within(const TableColumn& column, size_t width) {
  size_t out = 0;
  for (size_t i = 0; i < column.cells.size(); ++i) {
    for (const std::string& line : lines_of(column.cells[i], width, i == 0 ? 0 : kIndent))
      out = std::max(out, width_of(line));
  }
  return out;
}

// Widens columns as far as `width` goes, those first that lack most of what they would like; none
// is wider than it needs.
void use_room(std::vector<size_t>& widths, const std::vector<TableColumn>& columns, size_t width) {
  const std::vector<size_t> wanted = natural_widths(columns);
  for (size_t sum = sum_of(widths); sum < width; ++sum) {
    size_t neediest = 0;
    for (size_t i = 1; i < widths.size(); ++i) {
      if (wanted[i] * widths[neediest] > wanted[neediest] * widths[i]) neediest = i;
    }
    if (wanted[neediest] <= widths[neediest]) break;
    ++widths[neediest];
  }
  for (size_t i = 0; i < widths.size(); ++i) widths[i] = width_within(columns[i], widths[i]);
}

std::string padded(const std::string& text, size_t width, bool to_the_right) {
  const std::string pad(width - std::min(width, width_of(text)), ' ');
  return to_the_right ? pad + text : text + pad;
}

// Rows of cells below each other; headings stand at the bottom of theirs.
std::string drawn(const std::vector<TableColumn>& columns, const std::vector<size_t>& widths,
                  bool align_numbers) {
  std::string out;
  for (size_t row = 0; !columns.empty() && row < columns[0].cells.size(); ++row) {
    std::vector<Lines> cells;
    size_t height = 1;
    for (size_t i = 0; i < columns.size(); ++i) {
      cells.push_back(lines_of(columns[i].cells[row], widths[i], row == 0 ? 0 : kIndent));
      height = std::max(height, cells.back().size());
    }
    for (size_t at = 0; at < height; ++at) {
      std::string line;
      for (size_t i = 0; i < columns.size(); ++i) {
        const size_t above = row == 0 ? height - cells[i].size() : 0;
        const bool has_text = at >= above && at - above < cells[i].size();
        const bool right = align_numbers && i > 0 && is_number(columns[i].cells[row]);
        if (i) line += std::string(kGap, ' ');
        line += padded(has_text ? cells[i][at - above] : "", widths[i], right);
      }
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + "\n";
    }
  }
  if (!out.empty()) out.pop_back();
  return out;
}

}  // namespace

std::vector<std::string> parts_of(const std::string& word) {
  std::vector<std::string> out(1);
  for (size_t i = 0; i < word.size(); ++i) {
    out.back() += word[i];
    if (i + 1 < word.size() && ends_part(word, i)) out.emplace_back();
  }
  return out;
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> out;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    if (word == "%" && !out.empty()) {  // stays with its number
      out.back() += " %";
    } else if (!word.empty()) {
      out.push_back(word);
    }
    begin = end + 1;
  }
  return out;
}

std::vector<TableColumn> table_columns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<TableColumn> out;
  for (const auto& row : rows) {
    if (out.size() < row.size()) out.resize(row.size());
  }
  for (TableColumn& column : out) {
    const auto i = static_cast<size_t>(&column - out.data());
    for (const auto& row : rows) column.cells.push_back(i < row.size() ? row[i] : "");
  }
  return out;
}

std::string table(const std::vector<std::vector<std::string>>& rows, bool align_numbers) {
  const std::vector<TableColumn> columns = table_columns(rows);
  return drawn(columns, natural_widths(columns), align_numbers);
}

FittedTable fitted(std::vector<TableColumn> columns, size_t width, bool align_numbers) {
  FittedTable out;
  for (const TableColumn& column : columns) out.gone.push_back(full_heading(column));
  std::vector<size_t> widths = natural_widths(columns);
  if (sum_of(widths) > width) {
    for (TableColumn& column : columns) {
      if (!column.short_heading.empty()) std::swap(column.cells[0], column.short_heading);
    }
    widths = natural_widths(columns);
    drop(columns, widths, width, kExtraColumn);
    if (sum_of(widths) > width) {
      widths = tight_widths(columns, kShortText);
      drop(columns, widths, width, 1);
      for (const size_t text : {kShorterText, kShortestText, size_t{1}}) {
        if (sum_of(widths) <= width) break;
        out.is_tight = true;
        widths = tight_widths(columns, text);
      }
      drop(columns, widths, width, kLastToGo);
      use_room(widths, columns, width);
    }
  }
  for (const TableColumn& column : columns)
    out.gone.erase(std::find(out.gone.begin(), out.gone.end(), full_heading(column)));
  out.text = drawn(columns, widths, align_numbers);
  return out;
}

std::string wrapped(const std::string& text, size_t width) {
  std::string out;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    for (const std::string& line : lines_of(text.substr(begin, end - begin), width))
      out += line + "\n";
    begin = end + 1;
  }
  out.pop_back();
  return out;
}

std::string grouped(int64_t number) {
  std::string digits = std::to_string(std::abs(number));
  for (int64_t i = static_cast<int64_t>(digits.size()) - 3; i > 0; i -= 3)
    digits.insert(static_cast<size_t>(i), ",");
  return number < 0 ? "-" + digits : digits;
}

size_t width_of(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

size_t width_of_lines(const std::string& text) {
  size_t widest = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    widest = std::max(widest, width_of(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return widest;
}

}  // namespace vitrine
