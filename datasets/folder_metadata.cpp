#include "datasets/folder_metadata.h"

#include <ATen/ops/tensor.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <unordered_map>

#include "framework/data/tensor_words.h"
#include "framework/error.h"
#include "framework/files/csv.h"
#include "framework/files/file.h"

namespace vitrine {
namespace {

using Names = std::vector<std::string>;
using Kind = LabelColumn::Kind;

constexpr uint64_t kMostBytes = uint64_t{1} << 30;

std::string trimmed(std::string_view cell) {
  const size_t first = cell.find_first_not_of(" \t");
  if (first == cell.npos) return "";
  return std::string(cell.substr(first, cell.find_last_not_of(" \t") + 1 - first));
}

bool read_number(const std::string& cell, double& out) {
  const auto [end, problem] = std::from_chars(cell.data(), cell.data() + cell.size(), out);
  return problem == std::errc() && end == cell.data() + cell.size() && std::isfinite(out);
}

[[noreturn]] void refuse_line(const MetadataTable& table, size_t image,
                              const std::string& problem) {
  refuse_data(table.path, fmt::format("line {}: {}", table.lines[image], problem));
}

// The place of file_name, which is taken out of the table's columns.
size_t take_file_name(Names& columns, const std::string& path) {
  const auto found = std::find(columns.begin(), columns.end(), "file_name");
  if (found == columns.end()) {
    refuse_data(path, fmt::format("has no column file_name, which names the images; it has {}",
                                  escape(fmt::format("{}", fmt::join(columns, ", ")))));
  }
  const size_t place = found - columns.begin();
  columns.erase(found);
  for (const std::string& name : columns) {
    if (name.empty()) refuse_data(path, "a column has no name");
    if (std::count(columns.begin(), columns.end(), name) > 1)
      refuse_data(path, fmt::format("the column {} stands there twice", escape(name)));
  }
  return place;
}

// Whether a column is of values, by all tables.
bool has_values(const std::vector<MetadataTable>& tables, size_t column, bool is_named) {
  bool is_real = is_named;
  double unused = 0;
  for (const MetadataTable& table : tables) {
    for (size_t i = 0; i < table.lines.size(); ++i) {
      const std::string& cell = table.cells[column][i];
      const bool is_number = read_number(cell, unused);
      if (!is_number && is_named) {
        refuse_line(table, i,
                    fmt::format("\"{}\" in the column {} is no number", escape(cell),
                                escape(table.columns[column])));
      }
      if (!is_number) return false;
      is_real |= cell.find_first_of(".eE") != cell.npos;
    }
  }
  return is_real;
}

Tensor values_of(const MetadataTable& table, size_t column) {
  std::vector<float> out;
  for (const std::string& cell : table.cells[column]) {
    double number = 0;
    read_number(cell, number);
    out.push_back(static_cast<float>(number));
  }
  return at::tensor(out, at::kFloat).view({-1, 1});
}

// The different cells of a column in their order: of numbers by what they count.
Names classes_of(const MetadataTable& table, size_t column) {
  Names out = table.cells[column];
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  double a = 0, b = 0;
  const bool are_numbers = std::all_of(
      out.begin(), out.end(), [&](const std::string& cell) { return read_number(cell, a); });
  if (!are_numbers) return out;
  std::stable_sort(out.begin(), out.end(), [&](const std::string& one, const std::string& other) {
    read_number(one, a);
    read_number(other, b);
    return a < b;
  });
  return out;
}

Tensor numbers_of(const MetadataTable& table, size_t column, const Names& classes) {
  std::map<std::string, int64_t> numbers;
  for (const std::string& name : classes) numbers.emplace(name, std::ssize(numbers));
  std::vector<int64_t> out;
  for (size_t i = 0; i < table.lines.size(); ++i) {
    const std::string& cell = table.cells[column][i];
    const auto found = numbers.find(cell);
    if (found == numbers.end()) {
      Names shown = classes;
      for (std::string& name : shown) name = escape(name);
      refuse_line(
          table, i,
          fmt::format("there is no class {} to train on in the column {}; the classes are {}",
                      escape(cell), escape(table.columns[column]), some_of(shown, ", ")));
    }
    out.push_back(found->second);
  }
  return at::tensor(out, at::kLong);
}

}  // namespace

MetadataTable read_metadata(const std::filesystem::path& folder, const Names& files) {
  MetadataTable out;
  out.path = (folder / kMetadata).string();
  const std::string bytes = read_file(out.path, kMostBytes);
  CsvReader reader(bytes, out.path);
  std::vector<std::string_view> cells;
  if (!reader.next(cells)) refuse_data(out.path, "the table is empty");
  for (const std::string_view cell : cells) out.columns.push_back(trimmed(cell));
  const size_t count = cells.size(), file_name = take_file_name(out.columns, out.path);
  std::unordered_map<std::string_view, size_t> places;
  for (size_t i = 0; i < files.size(); ++i) places.emplace(files[i], i);
  out.lines.resize(files.size());
  out.cells.resize(out.columns.size(), Names(files.size()));
  while (reader.next(cells)) {
    if (cells.size() != count)
      reader.fail(fmt::format("{} cells, the first line has {}", cells.size(), count));
    const std::string name =
        std::filesystem::path(trimmed(cells[file_name])).lexically_normal().string();
    const auto found = places.find(name);
    if (found == places.end())
      reader.fail(fmt::format("there is no image {} in {}", escape(name), escape(folder.string())));
    const size_t image = found->second;
    if (out.lines[image] > 0)
      reader.fail(fmt::format("{} stands in line {} already", escape(name), out.lines[image]));
    out.lines[image] = reader.line();
    for (size_t i = 0, column = 0; i < count; ++i) {
      if (i == file_name) continue;
      out.cells[column][image] = trimmed(cells[i]);
      if (out.cells[column][image].empty())
        reader.fail(fmt::format("the column {} has no text", escape(out.columns[column])));
      ++column;
    }
  }
  Names missing;
  for (size_t i = 0; i < files.size(); ++i) {
    if (out.lines[i] == 0) missing.push_back(escape(files[i]));
  }
  if (missing.empty()) return out;
  const size_t number = missing.size();
  refuse_data(out.path, fmt::format("{} of the {} images of its folder {} not in it: {}", number,
                                    files.size(), number == 1 ? "is" : "are",
                                    some_of(std::move(missing), ", ")));
}

MetadataLabels labels_of(const std::vector<MetadataTable>& tables, const Names& values) {
  const MetadataTable& first = tables.front();
  const auto listed = [](const Names& names) {
    return names.empty() ? "none" : escape(fmt::format("{}", fmt::join(names, ", ")));
  };
  for (const MetadataTable& table : tables) {
    if (table.columns == first.columns) continue;
    refuse_data(table.path,
                fmt::format("its columns are {}, those of {} are {}", listed(table.columns),
                            escape(first.path), listed(first.columns)));
  }
  for (const std::string& name : values) {
    if (std::find(first.columns.begin(), first.columns.end(), name) != first.columns.end())
      continue;
    refuse_data(first.path, fmt::format("has no column {}, which dataset.values names; it has {}",
                                        escape(name), listed(first.columns)));
  }
  MetadataLabels out;
  out.of_tables.resize(tables.size());
  for (size_t column = 0; column < first.columns.size(); ++column) {
    const std::string& name = first.columns[column];
    const bool is_named = std::find(values.begin(), values.end(), name) != values.end();
    const bool is_of_values = has_values(tables, column, is_named);
    const Names names = is_of_values ? Names{name} : classes_of(first, column);
    out.columns.push_back({name, is_of_values ? Kind::kValues : Kind::kClasses, names});
    for (size_t i = 0; i < tables.size(); ++i) {
      out.of_tables[i].push_back(is_of_values ? values_of(tables[i], column)
                                              : numbers_of(tables[i], column, names));
    }
  }
  return out;
}

}  // namespace vitrine
