#include "framework/cli/compare_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "framework/cli/sweep_plan.h"
#include "framework/cli/terminal.h"
#include "framework/comparing/comparison_formats.h"
#include "framework/comparing/comparison_table.h"
#include "framework/comparing/telling_keys.h"

namespace vitrine {

namespace {

using Rows = std::vector<std::vector<std::string>>;

// Up to this many groups stand beside each other, more of them below each other.
constexpr size_t kMostBeside = 3;
constexpr size_t kMostKeysBeside = 12;
constexpr size_t kMostNotes = 20;

Rows escaped(Rows rows) {
  for (auto& row : rows) {
    for (std::string& cell : row) cell = escape(cell);
  }
  return rows;
}

// Lines of prose are hard to read beyond this.
constexpr size_t kProseWidth = 120;
// Of a table in a file or a pipe.
constexpr size_t kFileWidth = 200;

std::string prose(const std::string& text) {
  return wrapped(escape_lines(text), std::min(output_width(), kProseWidth));
}

size_t table_width() {
  const size_t width = output_width();
  return width == std::numeric_limits<size_t>::max() ? kFileWidth : width;
}

std::vector<TableColumn> escaped(const ComparisonTable& table) {
  std::vector<TableColumn> out;
  for (const auto& column : table.columns) {
    out.push_back({{}, column.rank, escape(column.short_heading)});
    for (const std::string& cell : column.cells) out.back().cells.push_back(escape(cell));
  }
  return out;
}

// The rows as columns.
std::vector<TableColumn> transposed(const std::vector<TableColumn>& columns) {
  std::vector<TableColumn> out(columns.at(0).cells.size());
  for (const TableColumn& column : columns) {
    for (size_t i = 0; i < out.size(); ++i) out[i].cells.push_back(column.cells[i]);
  }
  return out;
}

std::string listed(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

// What the table does not show: keys that differ, and columns that had no room.
std::string not_shown(const Comparison& comparison, std::vector<std::string> keys,
                      const std::vector<std::string>& gone, bool asked) {
  std::vector<std::string> others;
  for (const std::string& name : gone) {
    const bool is_key = std::count(comparison.keys.begin(), comparison.keys.end(), name) > 0;
    (is_key ? keys : others).push_back(name);
  }
  std::string out;
  if (!keys.empty() && !asked) {
    keys = in_order_of(comparison.keys, keys);
    out += "\n" + prose(fmt::format("also differ: {} (--columns shows them)", listed(keys)));
  }
  if (!others.empty())
    out +=
        "\n" + prose(fmt::format("left out for the width: {} (--columns chooses)", listed(others)));
  return out;
}

// A group a row, with as many columns as there is room for.
std::string below(const Comparison& comparison, const std::vector<std::string>& columns) {
  ComparisonTable table = table_of(comparison, {.columns = columns});
  FittedTable shown = fitted(escaped(table), table_width());
  if (shown.is_tight) {  // labels can be wrapped where columns of keys cannot
    table = table_of(comparison, {.columns = columns, .always_labels = true});
    shown = fitted(escaped(table), table_width());
  }
  return shown.text + not_shown(comparison, table.folded, shown.gone, !columns.empty());
}

// A group a column, where these fit.
std::string beside(const Comparison& comparison, const std::vector<std::string>& columns) {
  const ComparisonTable table =
      table_of(comparison, {columns, true, kMostKeysBeside, /*always_labels=*/true});
  const FittedTable shown = fitted(transposed(escaped(table)), table_width(), false);
  if (shown.is_tight) return below(comparison, columns);
  return shown.text + not_shown(comparison, table.folded, {}, !columns.empty());
}

std::vector<std::string> left_out_of(const Comparison& comparison) {
  std::vector<std::string> out;
  for (const auto& [run, reason] : comparison.left_out) {
    const std::string path = run->path.string();
    out.push_back(reason.starts_with(path) ? reason : fmt::format("{}: {}", path, reason));
  }
  return out;
}

// Which runs are not counted or are with care.
std::vector<std::string> remarks_of(const Comparison& comparison) {
  std::vector<std::string> out;
  for (const Group& group : comparison.groups) {
    for (const auto& [run, reason] : group.remarks) {
      const bool counted = std::count(group.counted.begin(), group.counted.end(), run) > 0;
      out.push_back(
          fmt::format("{}: {}{}", run->path.string(), reason, counted ? "" : ", not counted"));
    }
  }
  return out;
}

std::vector<std::string> gathered(const std::vector<ComparedSection>& sections,
                                  std::vector<std::string> (*of)(const Comparison&)) {
  std::vector<std::string> out;
  for (const ComparedSection& section : sections) {
    for (std::string& one : of(section.comparison)) out.push_back(std::move(one));
  }
  return out;
}

// Escaped, and of many the first.
std::vector<std::string> shortened(std::vector<std::string> notes) {
  const size_t more = notes.size() - std::min(notes.size(), kMostNotes);
  notes.resize(notes.size() - more);
  for (std::string& note : notes) note = escape(note);
  if (more > 0) notes.push_back(fmt::format("and {} more, which --json lists", more));
  return notes;
}

std::string shown_notes(const std::vector<ComparedSection>& sections) {
  std::vector<std::string> notes = gathered(sections, remarks_of);
  for (std::string& one : gathered(sections, left_out_of)) notes.push_back(std::move(one));
  std::string out;
  for (const std::string& note : shortened(notes))
    out += (out.empty() ? "\n\n" : "\n") + wrapped(note, std::min(output_width(), kProseWidth));
  return out;
}

// "digits, 400 test images: 12 runs", underlined.
std::string heading(const std::string& label, size_t runs) {
  const std::string text = prose(fmt::format("{}: {}", label, plural(runs, "run")));
  return text + "\n" + std::string(width_of_lines(text), '-') + "\n";
}

std::string shown(const ComparedSection& section, const std::string& words, bool is_alone,
                  const std::vector<std::string>& columns) {
  const Comparison& comparison = section.comparison;
  const std::string text = prose(words);
  if (comparison.groups.empty()) return text;
  const bool few = comparison.groups.size() <= kMostBeside;
  return text + "\n\n" + (few && is_alone ? beside : below)(comparison, columns);
}

std::string introduction(const std::vector<ComparedSection>& sections) {
  size_t runs = 0;
  for (const ComparedSection& section : sections) runs += section.runs;
  return prose(
      fmt::format("{} in {}, whose tests measure different things (other images or "
                  "tasks); runs are compared within a section only",
                  plural(runs, "run"), plural(sections.size(), "section")));
}

}  // namespace

void print_comparison(const std::vector<ComparedSection>& sections,
                      const std::vector<std::string>& words,
                      const std::vector<std::string>& columns) {
  const bool is_alone = sections.size() == 1;
  std::string out = is_alone ? "" : introduction(sections) + "\n\n";
  for (size_t i = 0; i < sections.size(); ++i) {
    if (i > 0) out += "\n\n\n";
    if (!is_alone) out += heading(sections[i].label, sections[i].runs) + "\n";
    out += shown(sections[i], words[i], is_alone, columns);
  }
  print(out + shown_notes(sections));
}

void print_tables(const std::vector<ComparedSection>& sections,
                  const std::vector<std::string>& columns, bool markdown) {
  std::vector<std::string> tables;
  for (const ComparedSection& section : sections) {
    if (section.comparison.groups.empty()) continue;
    const Rows rows = escaped(table_of(section.comparison, {.columns = columns}).rows());
    const std::string label = escape(section.label);
    std::string heading = markdown ? fmt::format("### {}\n\n", label)
                                   : fmt::format("\\subsection*{{{}}}\n", latex_text(label));
    if (label.empty()) heading.clear();
    tables.push_back(heading + (markdown ? to_markdown(rows) : to_latex(rows)));
  }
  print(fmt::format("{}", fmt::join(tables, "\n\n")));
}

void warn_of_left_out(const std::vector<ComparedSection>& sections) {
  for (const std::string& note : shortened(gathered(sections, left_out_of))) print_warning(note);
}

}  // namespace vitrine
