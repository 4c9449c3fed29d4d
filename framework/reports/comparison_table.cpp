#include "framework/reports/comparison_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "framework/config/scalar.h"
#include "framework/error.h"
#include "framework/reports/comparison_text.h"
#include "framework/reports/groups.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;
using CellText = std::function<std::string(const Group&)>;

constexpr size_t kShownValues = 3;

bool any_contrast(const Comparison& comparison, bool (*has)(const Contrast&)) {
  return std::any_of(comparison.groups.begin(), comparison.groups.end(),
                     [&](const Group& group) { return group.contrast && has(*group.contrast); });
}

bool has_mean(const Contrast& contrast) { return !std::isnan(contrast.difference.mean); }

bool has_interval(const Contrast& contrast) {
  return !std::isnan(contrast.difference.interval.low);
}

bool has_verdict(const Contrast& contrast) { return contrast.verdict != Verdict::kTooFewSeeds; }

// Of `names`, those that some run has, without the metric that decides.
std::vector<std::string> present(const Comparison& comparison,
                                 const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const std::string& name : names) {
    const auto has = [&](const Group& group) { return group.runs[0]->value(name).has_value(); };
    if (name != comparison.metric &&
        std::any_of(comparison.groups.begin(), comparison.groups.end(), has)) {
      out.push_back(name);
    }
  }
  return out;
}

std::vector<std::string> default_columns(const Comparison& comparison, bool all_metrics) {
  std::vector<std::string> names;
  for (const char* split : {"test/", "validation/", "train/", ""}) {
    for (const auto& [name, info] : comparison.infos) {
      const size_t slash = name.find('/');
      const bool here = name.substr(0, slash == name.npos ? 0 : slash + 1) == split;
      const bool main = name.starts_with("test/") || name == "validation/accuracy";
      if (here && (main || all_metrics)) names.push_back(name);
    }
  }
  names.push_back("model.parameters");
  names.push_back(all_metrics ? "model.flops_per_image" : "seconds");
  names = present(comparison, names);
  if (!all_metrics) return names;
  std::stable_partition(names.begin(), names.end(),
                        [](const std::string& name) { return name.find('/') != name.npos; });
  return names;
}

// The values of the group's runs, "8" or "0, 1, 2, ...".
std::string values_of(const Group& group, const std::string& name) {
  if (const auto own = group.values.find(name); own != group.values.end())
    return shown_key_value(name, *own);
  std::vector<std::string> shown;
  for (const RunRecord* run : group.runs) {
    const auto value = run->value(name);
    const std::string text = value ? shown_key_value(name, *value) : "-";
    if (std::find(shown.begin(), shown.end(), text) == shown.end()) shown.push_back(text);
    if (shown.size() > kShownValues) break;
  }
  if (shown.size() > kShownValues) shown.back() = "...";
  return fmt::format("{}", fmt::join(shown, ", "));
}

CellText value_cell(const Comparison& comparison, const std::string& name) {
  if (!comparison.infos.contains(name)) {
    return [name](const Group& group) { return values_of(group, name); };
  }
  return [name, info = comparison.info(name)](const Group& group) {
    return shown_spread(group.spread(name), info);
  };
}

std::string seeds_of(const Group& group) {
  const size_t n = group.counted.size();
  return n == group.runs.size() ? std::to_string(n) : fmt::format("{} of {}", n, group.runs.size());
}

std::string marks_of(const Group& group) { return fmt::format("{}", fmt::join(group.marks, ", ")); }

CellText contrast_cell(const std::function<std::string(const Contrast&)>& shown) {
  return [shown](const Group& group) { return group.contrast ? shown(*group.contrast) : ""; };
}

// Builds the columns one after the other.
class Builder {
 public:
  explicit Builder(const Comparison& comparison) : comparison_(comparison) {}

  void add(const std::string& heading, const CellText& cell, bool may_go = false) {
    ComparisonTable::Column column{{heading}, may_go};
    for (const Group& group : comparison_.groups) column.cells.push_back(cell(group));
    table.columns.push_back(std::move(column));
  }

  void add_statistics() {
    const MetricInfo& info = comparison_.info(comparison_.metric);
    add(replicate_word(comparison_) + "s", seeds_of);
    add(comparison_.metric, value_cell(comparison_, comparison_.metric));
    const auto has_seeds = [](const Group& group) { return group.counted.size() > 1; };
    if (std::any_of(comparison_.groups.begin(), comparison_.groups.end(), has_seeds)) {
      add("95 %", [&](const Group& group) {
        return shown_interval(group.spread(comparison_.metric).interval, info);
      });
    }
    if (!any_contrast(comparison_, has_mean)) return;
    add("difference", contrast_cell([&](const Contrast& contrast) {
          return shown_difference(contrast.difference.mean, info, false);
        }));
    if (!any_contrast(comparison_, has_interval)) return;
    add("95 % of it", contrast_cell([&](const Contrast& contrast) {
          return shown_interval(contrast.difference.interval, info);
        }));
    if (!any_contrast(comparison_, has_verdict)) return;
    add(comparison_.groups.size() > 2 ? "corrected p" : "p",
        contrast_cell([](const Contrast& contrast) { return shown_p(contrast.p); }));
    add("verdict", [&](const Group& group) {
      if (group.contrast) return to_string(group.contrast->verdict);
      return std::string(comparison_.groups.size() > 2 ? "reference" : "");
    });
  }

  ComparisonTable table;

 private:
  const Comparison& comparison_;
};

// Numbers in full; what there is none of is empty.
std::string cell_number(double value) {
  return std::isfinite(value) ? shown_number(value) : "";
}

std::string csv_cell(const std::string& raw) {
  const std::string text = escape(raw);
  if (text.find_first_of(",\"") == text.npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string joined(const std::vector<std::vector<std::string>>& rows, const std::string& between) {
  std::string out;
  for (const auto& row : rows) out += fmt::format("{}\n", fmt::join(row, between));
  if (!out.empty()) out.pop_back();
  return out;
}

// Whether a hyphen stands before a number that begins there: "-0.80", "[-15.42, -13.58]", "lr=-1".
bool is_minus(const std::string& text, size_t at) {
  const auto is_one_of = [](const std::string& characters, char c) {
    return characters.find(c) != characters.npos;
  };
  return text[at] == '-' && (at == 0 || is_one_of(" [(=,", text[at - 1])) && at + 1 < text.size() &&
         is_one_of("0123456789.", text[at + 1]);
}

// Typesets in LaTeX's default encoding too, which has < > | and " in mathematics alone or nowhere.
std::string latex_cell(const std::string& text) {
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

void add_spread(Builder& builder, const std::string& name) {
  const auto of = [&](double (*part)(const Spread&)) {
    return [name, part](const Group& group) { return cell_number(part(group.spread(name))); };
  };
  builder.add(name, of([](const Spread& spread) { return spread.mean; }));
  builder.add(name + " deviation", of([](const Spread& spread) { return spread.deviation; }));
  builder.add(name + " low", of([](const Spread& spread) { return spread.interval.low; }));
  builder.add(name + " high", of([](const Spread& spread) { return spread.interval.high; }));
}

void add_contrast(Builder& builder) {
  const auto of = [](double (*part)(const Contrast&)) {
    return contrast_cell([part](const Contrast& contrast) { return cell_number(part(contrast)); });
  };
  builder.add("difference", of([](const Contrast& one) { return one.difference.mean; }));
  builder.add("difference low",
              of([](const Contrast& one) { return one.difference.interval.low; }));
  builder.add("difference high",
              of([](const Contrast& one) { return one.difference.interval.high; }));
  builder.add("p", of([](const Contrast& one) { return one.p; }));
  builder.add("verdict", contrast_cell([](const Contrast& one) { return to_string(one.verdict); }));
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

std::vector<std::vector<std::string>> ComparisonTable::rows() const {
  std::vector<std::vector<std::string>> out;
  for (const Column& column : columns) {
    out.resize(column.cells.size());
    for (size_t i = 0; i < column.cells.size(); ++i) out[i].push_back(column.cells[i]);
  }
  return out;
}

ComparisonTable table_of(const Comparison& comparison, const std::vector<std::string>& columns,
                         bool all_metrics) {
  Builder builder(comparison);
  const auto is_key = [&](const std::string& name) { return !comparison.infos.contains(name); };
  if (!comparison.labels_are_keys || !columns.empty() || all_metrics) {
    builder.add("group", [](const Group& group) { return group.label; });
  }
  for (const std::string& key : columns.empty() ? comparison.keys : columns) {
    if (columns.empty() || is_key(key)) builder.add(key, value_cell(comparison, key));
  }
  builder.add_statistics();
  const auto others = columns.empty() ? default_columns(comparison, all_metrics) : columns;
  for (const std::string& name : others) {
    if (name == comparison.metric || (!columns.empty() && is_key(name))) continue;
    builder.add(name, value_cell(comparison, name), columns.empty());
  }
  const auto is_marked = [](const Group& group) { return !group.marks.empty(); };
  if (std::any_of(comparison.groups.begin(), comparison.groups.end(), is_marked)) {
    builder.add("marks", marks_of);
  }
  return builder.table;
}

std::string comparison_csv(const Comparison& comparison, const std::vector<std::string>& columns) {
  Builder builder(comparison);
  builder.add("group", [](const Group& group) { return group.label; });
  const auto metrics = columns.empty() ? default_columns(comparison, true) : columns;
  for (const std::string& key : columns.empty() ? comparison.keys : columns) {
    if (comparison.infos.contains(key)) continue;
    builder.add(key, [&](const Group& group) { return values_of(group, key); });
  }
  builder.add("runs", [](const Group& group) { return std::to_string(group.runs.size()); });
  builder.add("seeds", [](const Group& group) { return std::to_string(group.counted.size()); });
  add_spread(builder, comparison.metric);
  add_contrast(builder);
  for (const std::string& name : metrics) {
    if (name == comparison.metric) continue;
    if (comparison.infos.contains(name)) {
      add_spread(builder, name);
    } else if (columns.empty()) {
      builder.add(name, [&](const Group& group) { return values_of(group, name); });
    }
  }
  builder.add("marks", marks_of);
  std::vector<std::vector<std::string>> rows = builder.table.rows();
  for (auto& row : rows) std::transform(row.begin(), row.end(), row.begin(), csv_cell);
  return joined(rows, ",");
}

nlohmann::ordered_json comparison_json(const Comparison& comparison) {
  const MetricInfo& info = comparison.info(comparison.metric);
  Json out = {{"metric", comparison.metric},
              {"goal", info.goal},
              {"unit", info.unit},
              {"keys", comparison.keys},
              {"replicate", comparison.replicate},
              {"reference", comparison.reference},
              {"significance", kSignificance},
              {"correction", correction_of(comparison)},
              {"groups", Json::array()},
              {"left_out", Json::array()}};
  for (const Group& group : comparison.groups) out["groups"].push_back(json_of(group, comparison));
  for (const auto& [run, reason] : comparison.left_out) {
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

std::string to_latex(const std::vector<std::vector<std::string>>& rows) {
  std::string out =
      fmt::format("\\begin{{tabular}}{{{}}}\n\\hline\n", std::string(rows.at(0).size(), 'l'));
  for (size_t i = 0; i < rows.size(); ++i) {
    std::vector<std::string> cells;
    for (const std::string& cell : rows[i]) cells.push_back(latex_cell(cell));
    // After the \\ of the row before these would be its arguments.
    if (cells[0].starts_with('[') || cells[0].starts_with('*')) cells[0].insert(0, "{}");
    out += fmt::format("{} \\\\\n{}", fmt::join(cells, " & "), i == 0 ? "\\hline\n" : "");
  }
  return out + "\\hline\n\\end{tabular}";
}

}  // namespace vitrine
