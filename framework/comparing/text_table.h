#pragma once

#include <cstdint>
#include <string>
#include <vector>

// Tables and prose in lines of letters.
namespace vitrine {

struct TableColumn {
  std::vector<std::string> cells;  // the heading first
  int rank = 0;  // where room is short the highest goes first; 0 never goes, kLastToGo at last
  std::string short_heading = {};  // for where room is short; empty: there is none
};

// Columns of this rank and above go before anything is wrapped.
constexpr int kExtraColumn = 100;
// Columns of this rank go where even texts that are wrapped as far as they can be are too wide.
constexpr int kLastToGo = -1;

struct FittedTable {
  std::string text;
  std::vector<std::string> gone;  // headings of the columns that had to go
  bool is_tight = false;          // short texts are wrapped too, or it is wider than asked for
};

// Columns of text, padded; numbers are right-aligned unless told otherwise. The first row is the
// heading.
std::string table(const std::vector<std::vector<std::string>>& rows, bool align_numbers = true);

// A table in lines of at most `width` letters: headings are shortened, extra columns go, long texts
// and headings are wrapped, and where that is not enough columns go by their rank.
FittedTable fitted(std::vector<TableColumn> columns, size_t width, bool align_numbers = true);
std::vector<TableColumn> table_columns(const std::vector<std::vector<std::string>>& rows);

// Each line of `text` in lines of at most `width` letters, all but its first indented by two.
// Broken at spaces, else after one of / = , or a point between words: never within a name, which
// may be longer.
std::string wrapped(const std::string& text, size_t width);

// A text may be broken between its words, and a word between its parts: "runs/a" is "runs/", "a".
std::vector<std::string> words_of(const std::string& text);
std::vector<std::string> parts_of(const std::string& word);

std::string grouped(int64_t number);  // 60,000

size_t width_of(const std::string& text);        // in letters
size_t width_of_lines(const std::string& text);  // of the longest one

}  // namespace vitrine
