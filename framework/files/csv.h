#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine {

// Reads a table of comma-separated values (RFC 4180), line by line. Where the first line has no
// comma, but semicolons or tabs, these part its cells.
class CsvReader {
 public:
  // `bytes` must live as long. Messages begin with `name`.
  CsvReader(std::string_view bytes, std::string_view name);

  // The cells of the next line that is not empty, without their quotes, which are valid until the
  // next call; false at the end. Throws Error(kData) where quotes do not close or a line has more
  // than a million cells.
  bool next(std::vector<std::string_view>& cells);
  int64_t line() const { return line_; }  // where those began, from 1 on

  // Throws Error(kData) "NAME: line N: PROBLEM".
  [[noreturn]] void fail(const std::string& problem) const;

 private:
  std::string_view quoted_cell();

  std::string_view rest_, name_;
  char separator_ = ',';
  int64_t line_ = 0, next_line_ = 1;
  std::deque<std::string> unquoted_;  // cells with quotes in them
};

// A cell as such a table has it: in quotes where it has a comma, a quote or the end of a line.
std::string csv_cell(std::string_view text);

}  // namespace vitrine
