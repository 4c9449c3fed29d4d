#include "framework/comparing/watch_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "framework/comparing/text_table.h"
#include "framework/config/node.h"
#include "framework/config/scalar.h"
#include "framework/error.h"

namespace vitrine {
namespace {

constexpr size_t kGapOfColumns = 2;
constexpr size_t kLeastName = 8;
constexpr size_t kUsualName = 16;

std::string clipped(const std::string& text, size_t width) {
  if (count_letters(text) <= width) return text;
  return width == 0 ? "" : text.substr(0, byte_of_letter(text, width - 1)) + "…";
}

// "runs/vit…-eda49c"
std::string shortened(const std::string& text, size_t width) {
  const size_t letters = count_letters(text);
  if (letters <= width || width < 3) return clipped(text, width);
  const size_t behind = (width - 1) * 2 / 3, before = width - 1 - behind;
  return text.substr(0, byte_of_letter(text, before)) + "…" +
         text.substr(byte_of_letter(text, letters - behind));
}

std::string aligned_cell(const std::string& text, size_t width, bool right) {
  const std::string space(width - std::min(width, count_letters(text)), ' ');
  return right ? space + text : text + space;
}

std::string of_many(int64_t number, int64_t all) {
  return all > 0 ? fmt::format("{}/{}", number, all) : fmt::format("{}", number);
}

std::string number_text(double value, const MetricInfo& info) {
  return std::isnan(value) ? "-" : metric_text(value, info);
}

std::string speed_text(double images) {
  return std::isfinite(images) ? grouped(std::llround(images)) : "-";
}

struct Column {
  std::string heading;
  int rank;  // the highest goes first
  bool right;
  std::vector<std::string> cells = {};
  size_t width = 0;
};

// The name of the metric of validation that all runs have in common.
std::string heading_of_validation(const std::vector<const WatchedRow*>& rows) {
  for (const WatchedRow* row : rows) {
    if (row->judged_by != rows[0]->judged_by) return "validation";
  }
  return rows[0]->judged_by.empty() ? "validation" : "validation/" + rows[0]->judged_by;
}

// The folder that all runs are in, with a "/" behind it; empty where there is none.
std::string common_folder(const std::vector<const WatchedRow*>& rows) {
  std::string out = rows[0]->run.substr(0, rows[0]->run.rfind('/') + 1);
  for (const WatchedRow* row : rows) {
    while (!row->run.starts_with(out))
      out.resize(out.size() < 2 ? 0 : out.rfind('/', out.size() - 2) + 1);
  }
  return out;
}

// How much is shown where there is room, and where there is less.
struct Extent {
  size_t curve;  // letters
  bool whole_heading;
  int least_rank;  // of the columns that may go
};
constexpr Extent kExtents[] = {{12, true, 100}, {12, false, 8}, {6, false, 1}};

std::vector<Column> columns_of(const std::vector<const WatchedRow*>& rows, size_t folder,
                               const Extent& extent) {
  std::vector<Column> out = {
      {"run", 0, false},
      {"state", 1, false},
      {"epoch", 2, true},
      {"step", 8, true},
      {"loss", 3, true},
      {"", 7, false},
      {extent.whole_heading ? heading_of_validation(rows) : "validation", 4, true},
      {"", 5, false},
      {"images/s", 9, true},
      {"left", 6, true}};
  for (const WatchedRow* row : rows) {
    const std::string cells[] = {escape(row->run.substr(folder)),
                                 row->status,
                                 of_many(row->epoch, row->epochs),
                                 of_many(row->step, row->steps),
                                 std::isnan(row->loss) ? "-" : fixed_text(row->loss, 4),
                                 sparkline(row->losses, extent.curve),
                                 number_text(row->validation, row->info),
                                 sparkline(row->validations, extent.curve),
                                 speed_text(row->images_per_second),
                                 time_left_text(row->seconds_left)};
    for (size_t i = 0; i < out.size(); ++i) out[i].cells.push_back(cells[i]);
  }
  for (Column& column : out) {
    column.width = count_letters(column.heading);
    for (const std::string& cell : column.cells)
      column.width = std::max(column.width, count_letters(cell));
  }
  return out;
}

size_t width_of(const std::vector<Column>& columns) {
  size_t out = 0;
  for (const Column& column : columns) out += column.width + kGapOfColumns;
  return out - kGapOfColumns;
}

// Drops columns, and shortens the first, the runs' names, until all fits. False where they do not.
bool fit(std::vector<Column>& columns, size_t width, int least_rank) {
  std::erase_if(columns, [](const Column& column) { return column.width == 0; });
  const size_t whole = columns[0].width;
  for (;;) {
    const size_t name = std::min(whole, columns.size() > 4 ? kUsualName : kLeastName);
    if (columns.size() == 1 || width_of(columns) - whole + name <= width) break;
    const auto last =
        std::max_element(columns.begin(), columns.end(),
                         [](const Column& a, const Column& b) { return a.rank < b.rank; });
    if (last->rank < least_rank) return false;
    columns.erase(last);
  }
  const size_t rest = width_of(columns) - whole;
  columns[0].width = std::min(whole, width > rest ? width - rest : 0);
  for (std::string& cell : columns[0].cells) cell = shortened(cell, columns[0].width);
  columns[0].heading = clipped(columns[0].heading, columns[0].width);
  return true;
}

std::string line_of(const std::vector<Column>& columns, size_t row, const std::string* status,
                    Painter paint) {
  std::string out;
  for (const Column& column : columns) {
    const std::string& cell = status ? column.cells[row] : column.heading;
    std::string text = aligned_cell(cell, column.width, column.right);
    if (status && column.heading == "state") text = paint(text, *status);
    out += (out.empty() ? "" : std::string(kGapOfColumns, ' ')) + text;
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

std::string counts_of(const std::vector<const WatchedRow*>& rows) {
  std::map<std::string, size_t> counts;
  for (const WatchedRow* row : rows) ++counts[row->status];
  std::string out;
  for (const auto& [status, count] : counts)
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, status);
  return out;
}

}  // namespace

std::string sparkline(const std::vector<double>& values, size_t width) {
  static constexpr const char* kBars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  if (values.size() < 2 || width == 0) return "";
  std::vector<double> places;
  const size_t count = std::min(width, values.size());
  for (size_t i = 0; i < count; ++i) {
    double sum = 0, finite = 0;
    for (size_t j = i * values.size() / count; j < (i + 1) * values.size() / count; ++j) {
      if (!std::isfinite(values[j])) continue;
      sum += values[j];
      ++finite;
    }
    places.push_back(finite > 0 ? sum / finite : NAN);
  }
  double least = INFINITY, most = -INFINITY;
  for (const double value : places) {
    if (std::isnan(value)) continue;
    least = std::min(least, value);
    most = std::max(most, value);
  }
  std::string out;
  for (const double value : places) {
    const double share = most > least ? (value - least) / (most - least) : 0;
    out += std::isnan(value) ? " " : kBars[std::lround(share * 7)];
  }
  return out;
}

std::string time_left_text(double seconds) {
  if (std::isnan(seconds)) return "-";
  if (seconds > 360000) return "> 100 h";
  const auto whole = static_cast<int64_t>(std::ceil(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

std::vector<std::string> watch_table(const std::vector<const WatchedRow*>& rows, size_t width,
                                     size_t height, Painter paint) {
  if (rows.empty()) return {clipped("no runs yet", width)};
  std::vector<std::string> out;
  const std::string folder = rows.size() > 1 ? common_folder(rows) : "";
  if (rows.size() > 1) {
    const std::string where =
        folder.empty() ? "" : escape(folder.substr(0, folder.size() - 1)) + ": ";
    out.push_back(
        clipped(fmt::format("{}{} runs: {}", where, rows.size(), counts_of(rows)), width));
  }
  const size_t room = height > out.size() + 1 ? height - out.size() - 1 : 1;
  const size_t shown = rows.size() <= room ? rows.size() : std::max<size_t>(room, 2) - 1;
  const std::vector<const WatchedRow*> first(rows.begin(),
                                             rows.begin() + static_cast<ptrdiff_t>(shown));
  std::vector<Column> columns;
  for (const Extent& extent : kExtents) {
    columns = columns_of(first, folder.size(), extent);
    if (fit(columns, width, extent.least_rank)) break;
  }
  out.push_back(line_of(columns, 0, nullptr, paint));
  for (size_t i = 0; i < first.size(); ++i)
    out.push_back(line_of(columns, i, &first[i]->status, paint));
  if (shown < rows.size()) {
    const std::vector<const WatchedRow*> rest(rows.begin() + static_cast<ptrdiff_t>(shown),
                                              rows.end());
    out.push_back(clipped(fmt::format("{} more: {}", rest.size(), counts_of(rest)), width));
  }
  if (out.size() > height) out.resize(std::max<size_t>(height, 1));
  return out;
}

std::string watch_line(const WatchedRow& row) {
  std::string out = escape(row.run) + ": " + row.status;
  if (!row.error.empty()) return out + ": " + escape(row.error);
  if (row.epochs > 0) out += fmt::format(", epoch {}/{}", row.epoch, row.epochs);
  if (!std::isnan(row.loss)) out += ", loss " + fixed_text(row.loss, 4);
  if (!std::isnan(row.validation))
    out += fmt::format(", validation/{} {}", escape(row.judged_by),
                       metric_text(row.validation, row.info));
  if (row.is_running() && std::isfinite(row.images_per_second))
    out += fmt::format(", {} images/s", speed_text(row.images_per_second));
  if (!std::isnan(row.seconds_left)) out += ", " + time_left_text(row.seconds_left) + " left";
  return out;
}

}  // namespace vitrine
