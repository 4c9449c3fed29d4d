#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "framework/error.h"
#include "framework/runs/metrics.h"
#include "framework/runs/nonfinite.h"
#include "framework/runs/object_reader.h"

// Reading metrics.jsonl, which may have millions of rows.
namespace vitrine {

namespace {

using Object = Metrics::Object;

constexpr uint64_t kBlock = uint64_t{1} << 20;
constexpr size_t kMaxRowBytes = size_t{16} << 20;

Object parse_row(std::string_view line, const std::string& where) {
  Object row = parse_ordered_json(line, where);
  restore_nonfinite(row, where);
  ObjectReader reader(row, where);
  reader.one_of("kind", {"step", "epoch"});
  reader.integer("step", 0);
  reader.integer("epoch", 0);
  reader.rest_are_numbers();
  return row;
}

// Calls `visit` on each whole line of `text` and returns where the rest begins.
template <class Visit>
size_t for_each_line(std::string_view text, const Visit& visit) {
  size_t begin = 0;
  for (size_t end; (end = text.find('\n', begin)) != text.npos; begin = end + 1)
    visit(text.substr(begin, end - begin));
  return begin;
}

std::string line_of(const Place& place, size_t line) {
  return fmt::format("{}:{}", place.shown(), line);
}

// Calls `visit` on each whole line of the first `length` bytes of a file and its number, from 1 on;
// holds no more than a block.
template <class Visit>
void for_each_line_of(const Place& place, uint64_t length, const Visit& visit) {
  std::string text;
  size_t lines = 0;
  for (uint64_t offset = 0;;) {
    const std::string block = read_file_part(place, offset, std::min(kBlock, length - offset));
    if (block.empty()) return;
    offset += block.size();
    text += block;
    text.erase(0, for_each_line(text, [&](std::string_view line) { visit(line, ++lines); }));
    if (text.size() <= kMaxRowBytes) continue;
    throw Error(ExitCode::kData, fmt::format("{}: a row of more than {} bytes",
                                             line_of(place, lines + 1), kMaxRowBytes));
  }
}

// Of a row of a step, as it is written, its epoch; none of any other row. There may be many of
// them, so they are not parsed.
std::optional<int64_t> epoch_of_step(std::string_view line) {
  constexpr std::string_view kStart = R"({"kind":"step","epoch":)";
  int64_t epoch = 0;
  if (!line.starts_with(kStart)) return std::nullopt;
  const char* end = line.data() + line.size();
  const auto result = std::from_chars(line.data() + kStart.size(), end, epoch);
  if (result.ec != std::errc() || result.ptr == end || *result.ptr != ',') return std::nullopt;
  return epoch;
}

// Walks back over the lines of `text`, which begins at byte `start` of the file, and puts rows of
// epochs above `after` into `out`, the last first. False: what is before `text` is needed too.
bool collect_epochs(std::string_view text, uint64_t start, const std::string& name, int64_t after,
                    std::vector<Object>& out) {
  size_t end = text.rfind('\n');
  while (end != text.npos) {
    const size_t before = end == 0 ? text.npos : text.rfind('\n', end - 1);
    if (before == text.npos && start > 0) return false;
    const size_t begin = before == text.npos ? 0 : before + 1;
    const std::string_view line = text.substr(begin, end - begin);
    end = before;
    if (const auto epoch = epoch_of_step(line)) {
      if (*epoch <= after + 1) return true;
      continue;
    }
    Object row = parse_row(line, fmt::format("{}: byte {}", name, start + begin));
    if (row["kind"] != "epoch") continue;
    if (row["epoch"].get<int64_t>() <= after) return true;
    row.erase("kind");
    out.push_back(std::move(row));
  }
  return start == 0;
}

}  // namespace

std::vector<Object> read_rows(const Place& place) {
  std::vector<Object> rows;
  for_each_line_of(place, UINT64_MAX, [&](std::string_view line, size_t number) {
    rows.push_back(parse_row(line, line_of(place, number)));
  });
  return rows;
}

std::vector<Object> read_epochs(const Place& place, uint64_t length) {
  std::vector<Object> rows;
  for_each_line_of(place, length, [&](std::string_view line, size_t number) {
    if (epoch_of_step(line)) return;
    Object row = parse_row(line, line_of(place, number));
    if (row["kind"] != "epoch") return;
    row.erase("kind");
    rows.push_back(std::move(row));
  });
  return rows;
}

std::vector<Object> parse_rows(std::string_view text, std::string_view name) {
  std::vector<Object> rows;
  for_each_line(text, [&](std::string_view line) {
    rows.push_back(parse_row(line, fmt::format("{}:{}", escape(name), rows.size() + 1)));
  });
  return rows;
}

std::vector<Object> epochs_after(const Place& place, int64_t after) {
  std::vector<Object> out;
  if (!exists(place)) return out;
  const uint64_t size = read_file_start(place, 0).size;
  for (uint64_t window = uint64_t{1} << 14;; window *= 8) {
    const uint64_t start = size - std::min(size, window);
    out.clear();
    const std::string text = read_file_part(place, start, size - start);
    if (collect_epochs(text, start, place.shown(), after, out) || start == 0) break;
  }
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace vitrine
