#include "framework/reports/report_scope.h"

#include <algorithm>
#include <set>

#include "framework/comparing/failures.h"
#include "framework/comparing/sections.h"
#include "framework/error.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;
using Kind = ReportColumn::Kind;

constexpr size_t kFewColumns = 14;   // are shown, all of them
constexpr size_t kMainColumns = 11;  // of more
constexpr size_t kMainMetrics = 4;
constexpr size_t kMostColours = 8;  // that one keeps apart

size_t number_of_run(const ReportData& data, const RunRecord* run) {
  return static_cast<size_t>(run - data.runs.data());
}

// Whether the section's runs have several values, or some have none.
bool varies(const ReportColumn& column, const ReportData& data, const ReportSection& section) {
  std::set<Json> values;
  for (const size_t run : section.runs) values.insert(data.value(run, column));
  return values.size() > 1;
}

// Whether a column tells anything of the section's runs.
bool tells(const ReportColumn& column, const ReportData& data, const ReportSection& section) {
  switch (column.kind) {
    case Kind::kLabel:
    case Kind::kStatus:
      return true;
    case Kind::kGroup:
    case Kind::kSection:
      return false;
    case Kind::kMetric:
      return std::any_of(section.runs.begin(), section.runs.end(),
                         [&](size_t run) { return !data.value(run, column).is_null(); });
    default:
      return varies(column, data, section);
  }
}

}  // namespace

void set_sections(ReportData& data) {
  data.section_of.assign(data.runs.size(), 0);
  data.groups.assign(data.runs.size(), "");
  data.failures.assign(data.runs.size(), 0);
  std::vector<const RunRecord*> runs;
  for (const RunRecord& run : data.runs) runs.push_back(&run);
  std::vector<ComparedSection> sections;
  try {
    sections = compare_sections(runs, {});
  } catch (const Error&) {  // none has come far enough
    sections.resize(1);
  }
  for (ComparedSection& section : sections) {
    const size_t number = data.sections.size();
    for (const Group& group : section.comparison.groups) {
      for (const RunRecord* run : group.runs) {
        const size_t i = number_of_run(data, run);
        data.section_of[i] = number;
        data.groups[i] = group.label;
        data.failures[i] = failures_of(group);
      }
    }
    ReportSection one{std::move(section.label), {}, {}};
    if (!section.comparison.groups.empty()) one.comparison = std::move(section.comparison);
    data.sections.push_back(std::move(one));
  }
  for (size_t i = 0; i < data.runs.size(); ++i) data.sections[data.section_of[i]].runs.push_back(i);
}

ReportColumn within(const ReportData& data, const ReportColumn& column,
                    const ReportSection& section) {
  ReportColumn out = column;
  if (data.sections.size() == 1) return out;
  std::set<Json> known;
  for (const size_t run : section.runs) known.insert(data.value(run, column));
  std::erase_if(out.values, [&](const Json& value) { return !known.contains(value); });
  out.numeric = std::all_of(out.values.begin(), out.values.end(),
                            [](const Json& value) { return value.is_number(); });
  return out;
}

std::vector<ReportColumn> parameters_of(const ReportData& data, const ReportSection& section) {
  std::vector<const ReportColumn*> columns;
  if (section.comparison) {
    for (const std::string& key : section.comparison->main_keys) {
      const ReportColumn* column = data.column(key);
      if (column && column->kind == Kind::kParameter) columns.push_back(column);
    }
  }
  for (const ReportColumn* column : data.columns_of(Kind::kParameter)) {
    const bool is_new = std::find(columns.begin(), columns.end(), column) == columns.end();
    if (is_new && varies(*column, data, section)) columns.push_back(column);
  }
  std::vector<ReportColumn> out;
  for (const ReportColumn* column : columns) out.push_back(within(data, *column, section));
  return out;
}

const ReportColumn* first_metric(const ReportData& data, const ReportSection& section) {
  std::vector<const RunRecord*> runs;
  for (const size_t run : section.runs) {
    if (data.runs[run].is_readable()) runs.push_back(&data.runs[run]);
  }
  if (const auto* common = data.column(common_metric(runs, report_metrics(runs)))) return common;
  for (const ReportColumn* column : data.columns_of(Kind::kMetric)) {
    if (tells(*column, data, section)) return column;
  }
  return nullptr;
}

const ReportColumn* first_colour(const ReportData& data, const ReportSection& section) {
  const auto few = [&](const ReportColumn* column) {
    const size_t values = within(data, *column, section).values.size();
    return values > 1 && values <= kMostColours;
  };
  const size_t groups = section.comparison ? section.comparison->groups.size() : 0;
  const auto names = data.columns_of(Kind::kName);
  if (!names.empty() && within(data, *names[0], section).values.size() >= groups && few(names[0]))
    return names[0];
  const auto group = data.columns_of(Kind::kGroup);
  if (!group.empty() && few(group[0])) return group[0];
  if (!names.empty() && few(names[0])) return names[0];
  const auto parameters = parameters_of(data, section);
  return parameters.empty() ? nullptr : data.column(parameters[0].name);
}

std::vector<std::string> shown_columns(const ReportData& data, const ReportSection& section) {
  std::vector<const ReportColumn*> all;
  for (const ReportColumn& column : data.columns) {
    if (tells(column, data, section)) all.push_back(&column);
  }
  const auto parameters = parameters_of(data, section);
  std::vector<std::string> first;
  const auto add = [&](const ReportColumn* column) {
    if (std::find(first.begin(), first.end(), column->id) == first.end())
      first.push_back(column->id);
  };
  const auto add_all = [&](const std::vector<Kind>& kinds, size_t most) {
    for (const ReportColumn* column : all) {
      const bool wanted = std::find(kinds.begin(), kinds.end(), column->kind) != kinds.end();
      if (wanted && most > 0) add(column), --most;
    }
  };
  constexpr size_t kAll = 1'000'000;
  add_all({Kind::kLabel, Kind::kStatus, Kind::kSeed}, kAll);
  if (const ReportColumn* metric = first_metric(data, section)) add(metric);
  for (size_t i = 0; i < std::min(parameters.size(), kMainParameters); ++i) add(&parameters[i]);
  add_all({Kind::kName}, kAll);
  add_all({Kind::kMetric}, kMainMetrics);
  for (const char* name : {"seconds", "model.parameters"}) {
    const ReportColumn* column = data.column(name);
    if (column && tells(*column, data, section)) add(column);
  }
  const size_t most = all.size() <= kFewColumns ? all.size() : kMainColumns;
  for (const ReportColumn* column : all) {
    if (all.size() <= kFewColumns) add(column);
  }
  if (first.size() > most) first.resize(most);
  return first;
}

}  // namespace vitrine
