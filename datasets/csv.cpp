#include "framework/files/csv.h"

#include <charconv>
#include <map>
#include <set>

#include "datasets/array_names.h"
#include "datasets/held_arrays.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

struct Options : HeldOptions {
  Path train, test;
  std::string label;

  void visit(Fields& field) {
    HeldOptions::visit(field);
    field("train", train, "table with the training images: a line each, a column for each pixel")
        .words({"path", "train_file", "train_path"});
    field("test", test, "table with the test images; without classes nothing is measured of them")
        .words({"test_file", "test_path"});
    field("label", label,
          "the column with the classes, by its name, or by its number from 0 on where the table "
          "names no columns; usual names (label, class, target) are found by themselves")
        .words({"label_column", "target", "target_column"});
  }
  void check(Check& check) const {
    HeldOptions::check(check);
    if (train.empty() || (test.empty() && !draws_test())) {
      check.error({},
                  "csv needs train and test, the tables with the images; test_share stands for "
                  "test");
    }
  }
};

std::string_view trimmed(std::string_view cell) {
  while (!cell.empty() && (cell.front() == ' ' || cell.front() == '\t')) cell.remove_prefix(1);
  while (!cell.empty() && (cell.back() == ' ' || cell.back() == '\t')) cell.remove_suffix(1);
  return cell;
}

bool read_number(std::string_view cell, double& out) {
  cell = trimmed(cell);
  const auto [end, problem] = std::from_chars(cell.data(), cell.data() + cell.size(), out);
  return problem == std::errc() && end == cell.data() + cell.size() && !cell.empty();
}

// The pixel of a cell, most of which are whole numbers of few digits.
float pixel_of(std::string_view cell, bool& is_real, const CsvReader& reader) {
  unsigned small = 0;
  const auto is_digit = [&](char c) {
    small = 10 * small + static_cast<unsigned>(c - '0');
    return c >= '0' && c <= '9';
  };
  if (!cell.empty() && cell.size() <= 3 && std::all_of(cell.begin(), cell.end(), is_digit))
    return static_cast<float>(small);
  double number = 0;
  if (!read_number(cell, number))
    reader.fail(fmt::format("the pixel \"{}\" is no number", escape(cell.substr(0, 40))));
  is_real |= number != std::trunc(number) || cell.find_first_of(".eE") != cell.npos;
  return static_cast<float>(number);
}

// What the columns of a table are.
struct Columns {
  std::vector<std::string> names;  // empty where the table has none
  size_t count = 0;
  std::optional<size_t> label;  // none in a table of test images that nobody has labelled
  std::vector<size_t> pixels;
  std::vector<std::string> said;

  std::vector<std::string> pixel_names() const {
    std::vector<std::string> out;
    for (const size_t column : pixels) out.push_back(names.empty() ? "" : names[column]);
    return out;
  }
};

std::string listed(const std::vector<std::string>& names) {
  constexpr size_t kMost = 8;
  const std::vector<std::string> first(
      names.begin(), names.begin() + static_cast<ptrdiff_t>(std::min(kMost, names.size())));
  return escape(fmt::format("{}", fmt::join(first, ", "))) +
         (names.size() > kMost ? fmt::format(", ... ({} columns)", names.size()) : "");
}

// Numbers of rows, which some programs write too.
bool is_row_number(const std::string& name) {
  const std::string letters = letters_of(name);
  return letters.empty() || letters == "unnamed0" || letters == "id" || letters == "index" ||
         letters == "imageid";
}

std::optional<size_t> label_column(const Columns& columns, const std::string& wanted,
                                   const std::string& path, bool is_test) {
  static const std::vector<std::string> usual = {"label",  "labels",  "class", "classes",
                                                 "target", "targets", "y"};
  std::vector<size_t> found;
  for (size_t i = 0; i < columns.names.size(); ++i) {
    const std::string letters = letters_of(columns.names[i]);
    if (wanted.empty() ? std::find(usual.begin(), usual.end(), letters) != usual.end()
                       : columns.names[i] == wanted) {
      found.push_back(i);
    }
  }
  if (found.empty() && is_test) return std::nullopt;
  const std::string they = "it has " + listed(columns.names);
  if (found.empty() && wanted.empty()) {
    refuse_data(path,
                "no column is called as classes usually are (label, class, target): say which "
                "has them by label; " +
                    they);
  }
  if (found.empty()) refuse_data(path, fmt::format("has no column {}; {}", escape(wanted), they));
  if (found.size() > 1) {
    refuse_data(path,
                fmt::format("the columns {} and {} may be the classes: say which by label",
                            escape(columns.names[found[0]]), escape(columns.names[found[1]])));
  }
  return found[0];
}

size_t numbered_label(const Columns& columns, const std::string& wanted, const std::string& path) {
  if (wanted.empty()) return 0;
  size_t out = 0;
  const auto [end, problem] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), out);
  if (problem == std::errc() && end == wanted.data() + wanted.size() && out < columns.count)
    return out;
  refuse_data(path, fmt::format("its first line names no columns: label must be a number from 0 to "
                                "{}, got \"{}\"",
                                columns.count - 1, escape(wanted)));
}

// Columns that were sorted by the alphabet scramble images: pixel1, pixel10, pixel100, pixel2.
void check_order(const std::vector<std::string>& names, const std::string& path) {
  std::string before, prefix;
  int64_t number = -1;
  for (const std::string& name : names) {
    const size_t at = name.find_last_not_of("0123456789") + 1;
    int64_t next = 0;
    const bool has_number =
        std::from_chars(name.data() + at, name.data() + name.size(), next).ec == std::errc();
    if (!has_number || (!before.empty() && name.substr(0, at) != prefix)) return;
    if (!before.empty() && next < number) {
      refuse_data(path, fmt::format("its pixels are not in order: {} stands behind {}",
                                    escape(name), escape(before)));
    }
    before = name;
    prefix = name.substr(0, at);
    number = next;
  }
}

Columns columns_of(const std::vector<std::string_view>& first, const std::string& label,
                   const std::string& path, bool is_test) {
  Columns out;
  out.count = first.size();
  double unused = 0;
  const bool has_names = !std::all_of(
      first.begin(), first.end(), [&](std::string_view cell) { return read_number(cell, unused); });
  if (has_names) {
    for (const std::string_view cell : first) out.names.emplace_back(trimmed(cell));
  }
  out.label =
      has_names ? label_column(out, label, path, is_test) : numbered_label(out, label, path);
  if (!has_names) {
    out.said.push_back(
        fmt::format("{}: its first line names no columns: column {} is taken for "
                    "the class",
                    escape(path), *out.label));
  }
  for (size_t i = 0; i < out.count; ++i) {
    if (i == out.label) continue;
    if (has_names && is_row_number(out.names[i])) {
      out.said.push_back(
          fmt::format("{}: not used: the column \"{}\"", escape(path), escape(out.names[i])));
    } else {
      out.pixels.push_back(i);
    }
  }
  if (out.pixels.empty()) refuse_data(path, "it has no columns of pixels");
  if (has_names) check_order(out.pixel_names(), path);
  return out;
}

struct Table {
  Columns columns;
  std::vector<float> pixels;
  bool is_real = false;
  int64_t images = 0;
  std::vector<std::string> labels;  // of each image; none where the table has no column of them
};

Table read_table(const std::string& path, const std::string& label, bool is_test) {
  const std::string bytes = read_whole(path);
  CsvReader reader(bytes, path);
  std::vector<std::string_view> cells;
  if (!reader.next(cells)) refuse_data(path, "the table is empty");
  Table out;
  out.columns = columns_of(cells, label, path, is_test);
  bool has_line = out.columns.names.empty() || reader.next(cells);
  for (; has_line; has_line = reader.next(cells)) {
    if (cells.size() != out.columns.count)
      reader.fail(fmt::format("{} cells, the first line has {}", cells.size(), out.columns.count));
    for (const size_t column : out.columns.pixels)
      out.pixels.push_back(pixel_of(cells[column], out.is_real, reader));
    ++out.images;
    if (out.columns.label) out.labels.emplace_back(trimmed(cells[*out.columns.label]));
  }
  if (out.images == 0) refuse_data(path, "the table has no images");
  return out;
}

// What the pixels of all tables are: one may have no fraction by chance.
std::string type_of(const std::vector<Table>& tables) {
  for (const Table& table : tables) {
    if (table.is_real) return "real numbers";
  }
  for (const Table& table : tables) {
    const auto [low, high] = std::minmax_element(table.pixels.begin(), table.pixels.end());
    if (*low < 0 || *high > 255) return "whole numbers";
  }
  return "uint8";
}

// [N, pixels]
NamedArray images_of(const std::string& path, const Table& table, const std::string& type) {
  const std::vector<int64_t> shape = {table.images, std::ssize(table.columns.pixels)};
  const Tensor values = at::tensor(table.pixels, at::kFloat).view(shape);
  const Tensor pixels = type == "real numbers" ? values
                        : type == "uint8"      ? values.to(at::kByte)
                                               : values.to(at::kLong);
  return {path, type, shape, [pixels] { return pixels; }};
}

NamedArray array_of(const std::string& name, const Tensor& values) {
  return {name, "", values.sizes().vec(), [values] { return values; }};
}

class Csv : public HeldArrays {
 public:
  Csv(const Options& options, const DataContext& context)
      : HeldArrays(options, context), options_(options) {}

 private:
  ArraySets find() const override {
    std::vector<std::string> paths = {options_.train.value};
    if (!options_.test.empty()) paths.push_back(options_.test.value);
    std::vector<Table> tables;  // the training images', then those of the test
    for (const std::string& path : paths)
      tables.push_back(read_table(path, options_.label, !tables.empty()));
    if (tables.back().columns.pixel_names() != tables[0].columns.pixel_names()) {
      refuse_data(paths.back(),
                  fmt::format("its columns of pixels are not those of {}, in this order",
                              escape(paths[0])));
    }
    ArraySets out;
    const auto labels = labels_of(tables, paths, out);
    const std::string type = type_of(tables);
    const auto set = [&](size_t i) {
      return ArraySets::Set{images_of(paths[i], tables[i], type), labels[i]};
    };
    out.train = set(0);
    if (tables.size() > 1) out.test = set(1);
    return out;
  }

  // Whole numbers as they are; else the texts in the order of the alphabet.
  static std::vector<std::optional<NamedArray>> labels_of(const std::vector<Table>& tables,
                                                          const std::vector<std::string>& paths,
                                                          ArraySets& said) {
    std::map<std::string, int64_t> numbers;
    bool are_numbers = true;
    double number = 0;
    for (const Table& table : tables) {
      said.said.insert(said.said.end(), table.columns.said.begin(), table.columns.said.end());
      for (const std::string& label : table.labels) {
        are_numbers &= read_number(label, number);
        numbers.emplace(label, 0);
      }
    }
    for (auto& [label, its] : numbers) {
      its = std::ssize(said.names);
      if (!are_numbers) said.names.push_back(label);
    }
    std::vector<std::optional<NamedArray>> out(tables.size());
    for (size_t i = 0; i < tables.size(); ++i) {
      std::vector<double> values;
      for (const std::string& label : tables[i].labels) {
        if (are_numbers) read_number(label, number);
        values.push_back(are_numbers ? number : static_cast<double>(numbers.at(label)));
      }
      if (!tables[i].columns.label) continue;
      const Tensor real = at::tensor(values, at::kDouble);
      const bool is_whole = real.eq(real.round()).all().item<bool>();
      out[i] = array_of(paths[i] + ": labels", is_whole ? real.to(at::kLong) : real);
    }
    if (are_numbers) return out;
    const std::set<std::string> trained(tables[0].labels.begin(), tables[0].labels.end());
    for (const std::string& label : said.names) {
      if (trained.contains(label)) continue;
      said.said.push_back(fmt::format("{}: the class \"{}\" is not among the training images",
                                      escape(paths.back()), escape(label)));
    }
    return out;
  }

  Options options_;
};

VITRINE_REGISTER(Dataset, Csv, Options, "images and classes from tables, a line an image")

}  // namespace
}  // namespace vitrine
