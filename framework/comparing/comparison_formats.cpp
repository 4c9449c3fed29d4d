#include "framework/comparing/comparison_formats.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "framework/comparing/comparison_columns.h"
#include "framework/config/scalar.h"
#include "framework/error.h"
#include "framework/files/csv.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;

// Numbers in full; what there is none of is empty.
std::string cell_number(double value) { return std::isfinite(value) ? shown_number(value) : ""; }

// Columns of text by their headings; what a section has no column of is empty.
class CsvTable {
 public:
  // Rows for the groups of another section.
  void begin(const Comparison& comparison) {
    comparison_ = &comparison;
    first_row_ = rows_;
    rows_ += comparison.groups.size();
    place_ = 0;
    for (Column& column : columns_) column.cells.resize(rows_);
  }

  // A heading that is new stands after the one that was added before it.
  void add(const std::string& heading, const CellText& cell) {
    const auto same = [&](const Column& column) { return column.heading == heading; };
    auto found = std::find_if(columns_.begin(), columns_.end(), same);
    if (found == columns_.end()) {
      found = columns_.insert(columns_.begin() + static_cast<std::ptrdiff_t>(place_),
                              {heading, std::vector<std::string>(rows_)});
    }
    place_ = static_cast<size_t>(found - columns_.begin()) + 1;
    for (size_t i = 0; i < comparison_->groups.size(); ++i)
      found->cells[first_row_ + i] = cell(comparison_->groups[i]);
  }

  std::string text() const {
    std::string out;
    for (size_t row = 0; row <= rows_; ++row) {
      for (const Column& column : columns_) {
        if (&column != columns_.data()) out += ",";
        out += csv_cell(escape(row == 0 ? column.heading : column.cells[row - 1]));
      }
      out += row == rows_ ? "" : "\n";
    }
    return out;
  }

 private:
  struct Column {
    std::string heading;
    std::vector<std::string> cells;
  };
  const Comparison* comparison_ = nullptr;
  std::vector<Column> columns_;
  size_t rows_ = 0, first_row_ = 0, place_ = 0;
};

// Whether a hyphen stands before a number that begins there: "-0.80", "[-15.42, -13.58]", "lr=-1".
bool is_minus(const std::string& text, size_t at) {
  const auto is_one_of = [](const std::string& characters, char c) {
    return characters.find(c) != characters.npos;
  };
  return text[at] == '-' && (at == 0 || is_one_of(" [(=,", text[at - 1])) && at + 1 < text.size() &&
         is_one_of("0123456789.", text[at + 1]);
}

void add_spread(CsvTable& table, const std::string& name) {
  const auto of = [&](double (*part)(const Spread&)) {
    return [name, part](const Group& group) { return cell_number(part(group.spread(name))); };
  };
  table.add(name, of([](const Spread& spread) { return spread.mean; }));
  table.add(name + " deviation", of([](const Spread& spread) { return spread.deviation; }));
  table.add(name + " low", of([](const Spread& spread) { return spread.interval.low; }));
  table.add(name + " high", of([](const Spread& spread) { return spread.interval.high; }));
}

void add_contrast(CsvTable& table) {
  const auto of = [](double (*part)(const Contrast&)) {
    return contrast_cell([part](const Contrast& contrast) { return cell_number(part(contrast)); });
  };
  table.add("difference", of([](const Contrast& one) { return one.difference.mean; }));
  table.add("difference low", of([](const Contrast& one) { return one.difference.interval.low; }));
  table.add("difference high",
            of([](const Contrast& one) { return one.difference.interval.high; }));
  table.add("p", of([](const Contrast& one) { return one.p; }));
  table.add("verdict", contrast_cell([](const Contrast& one) { return to_string(one.verdict); }));
}

void add_section(CsvTable& table, const ComparedSection& section,
                 const std::vector<std::string>& columns) {
  const Comparison& comparison = section.comparison;
  table.begin(comparison);
  if (!section.label.empty()) table.add("section", [&](const Group&) { return section.label; });
  table.add("group", [](const Group& group) { return group.label; });
  for (const std::string& key : columns.empty() ? comparison.keys : columns) {
    if (comparison.infos.contains(key)) continue;
    table.add(key, [&](const Group& group) { return values_of_runs(group, key); });
  }
  table.add("runs", [](const Group& group) { return std::to_string(group.runs.size()); });
  table.add("seeds", [](const Group& group) { return std::to_string(group.counted.size()); });
  add_spread(table, comparison.metric);
  add_contrast(table);
  for (const std::string& name : columns.empty() ? other_columns(comparison, true) : columns) {
    if (name == comparison.metric) continue;
    if (comparison.infos.contains(name)) {
      add_spread(table, name);
    } else if (columns.empty()) {
      table.add(name, [&](const Group& group) { return values_of_runs(group, name); });
    }
  }
  table.add("marks", marks_of);
}

Json or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json json_of(const Spread& spread) {
  return {{"n", spread.n},
          {"mean", or_null(spread.mean)},
          {"deviation", or_null(spread.deviation)},
          {"low", or_null(spread.interval.low)},
          {"high", or_null(spread.interval.high)}};
}

Json json_of(const Contrast& contrast) {
  return {{"mean", or_null(contrast.difference.mean)},
          {"low", or_null(contrast.difference.interval.low)},
          {"high", or_null(contrast.difference.interval.high)},
          {"p", or_null(contrast.difference.p)},
          {"corrected_p", or_null(contrast.p)},
          {"paired", contrast.paired},
          {"n", contrast.n},
          {"reference_n", contrast.reference_n},
          {"verdict", to_string(contrast.verdict)}};
}

Json json_of(const RunRecord& run, const Group& group, const std::string& metric) {
  const auto remark = std::find_if(group.remarks.begin(), group.remarks.end(),
                                   [&](const auto& one) { return one.first == &run; });
  return {{"run", run.path.string()},
          {"seed", run.metrics.seed},
          {"status", run.status},
          {"counted", std::count(group.counted.begin(), group.counted.end(), &run) > 0},
          {"remark", remark == group.remarks.end() ? Json() : Json(remark->second)},
          {"value", run.value(metric).value_or(nullptr)}};
}

Json json_of(const Group& group, const Comparison& comparison) {
  Json out = {{"label", group.label}, {"values", group.values}, {"marks", group.marks}};
  out["metrics"] = Json::object();
  for (const auto& [name, info] : comparison.infos) {
    const Spread spread = group.spread(name);
    if (spread.n > 0) out["metrics"][name] = json_of(spread);
  }
  out["contrast"] = group.contrast ? json_of(*group.contrast) : Json();
  out["runs"] = Json::array();
  for (const RunRecord* run : group.runs) {
    out["runs"].push_back(json_of(*run, group, comparison.metric));
  }
  return out;
}

// What the values of p are corrected by: of two groups by nothing.
Json correction_of(const Comparison& comparison) {
  if (comparison.groups.size() < 3) return nullptr;
  return comparison.reference_is_best ? "holm, all pairs" : "holm";
}

}  // namespace

std::string comparison_csv(const std::vector<ComparedSection>& sections,
                           const std::vector<std::string>& columns) {
  CsvTable table;
  for (const ComparedSection& section : sections) add_section(table, section, columns);
  return table.text();
}

nlohmann::ordered_json comparison_json(const std::vector<ComparedSection>& sections) {
  const Comparison& first = sections.at(0).comparison;
  const MetricInfo& info = first.info(first.metric);
  Json out = {{"metric", first.metric},
              {"goal", info.goal},
              {"unit", info.unit},
              {"keys", first.keys},
              {"replicate", first.replicate},
              {"reference", first.reference},
              {"significance", kSignificance},
              {"correction", correction_of(first)},
              {"sections", Json::array()},
              {"groups", Json::array()},
              {"left_out", Json::array()}};
  for (const ComparedSection& section : sections) {
    const Comparison& comparison = section.comparison;
    const Json label = section.label.empty() ? Json() : Json(section.label);
    out["sections"].push_back({{"label", label},
                               {"metric", comparison.metric},
                               {"keys", comparison.keys},
                               {"main_keys", comparison.main_keys},
                               {"reference", comparison.reference},
                               {"correction", correction_of(comparison)}});
    for (const Group& group : comparison.groups) {
      out["groups"].push_back({{"section", label}});
      out["groups"].back().update(json_of(group, comparison));
    }
    for (const auto& [run, reason] : comparison.left_out)
      out["left_out"].push_back({{"run", run->path.string()}, {"reason", reason}});
  }
  return out;
}

std::string to_markdown(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::vector<std::string>> lines;
  for (const auto& row : rows) {
    lines.emplace_back();
    for (std::string cell : row) {
      for (size_t at = 0; (at = cell.find('|', at)) != cell.npos; at += 2) cell.insert(at, "\\");
      lines.back().push_back(std::move(cell));
    }
    if (lines.size() == 1) lines.emplace_back(row.size(), "---");
  }
  std::string out;
  for (const auto& line : lines) out += fmt::format("| {} |\n", fmt::join(line, " | "));
  if (!out.empty()) out.pop_back();
  return out;
}

// Typesets in LaTeX's default encoding too, which has < > | and " in mathematics alone or nowhere.
std::string latex_text(const std::string& text) {
  static const std::map<char, std::string> known = {{'\\', "\\textbackslash{}"},
                                                    {'~', "\\textasciitilde{}"},
                                                    {'^', "\\textasciicircum{}"},
                                                    {'<', "\\textless{}"},
                                                    {'>', "\\textgreater{}"},
                                                    {'|', "\\textbar{}"},
                                                    {'"', "''"},
                                                    {'&', "\\&"},
                                                    {'%', "\\%"},
                                                    {'$', "\\$"},
                                                    {'#', "\\#"},
                                                    {'_', "\\_"},
                                                    {'{', "\\{"},
                                                    {'}', "\\}"}};
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto found = known.find(text[i]);
    out += is_minus(text, i)      ? "$-$"
           : found == known.end() ? std::string(1, text[i])
                                  : found->second;
  }
  for (size_t at; (at = out.find("±")) != out.npos;) out.replace(at, 2, "$\\pm$");
  return out;
}

std::string to_latex(const std::vector<std::vector<std::string>>& rows) {
  std::string out =
      fmt::format("\\begin{{tabular}}{{{}}}\n\\hline\n", std::string(rows.at(0).size(), 'l'));
  for (size_t i = 0; i < rows.size(); ++i) {
    std::vector<std::string> cells;
    for (const std::string& cell : rows[i]) cells.push_back(latex_text(cell));
    // After the \\ of the row before these would be its arguments.
    if (cells[0].starts_with('[') || cells[0].starts_with('*')) cells[0].insert(0, "{}");
    out += fmt::format("{} \\\\\n{}", fmt::join(cells, " & "), i == 0 ? "\\hline\n" : "");
  }
  return out + "\\hline\n\\end{tabular}";
}

}  // namespace vitrine
