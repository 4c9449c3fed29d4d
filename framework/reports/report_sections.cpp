#include "framework/reports/report_sections.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/comparing/comparison.h"
#include "framework/comparing/comparison_table.h"
#include "framework/comparing/comparison_text.h"
#include "framework/error.h"
#include "framework/files/file.h"
#include "framework/files/html.h"
#include "framework/files/paths.h"
#include "framework/reports/breakable.h"
#include "framework/reports/report_charts.h"
#include "framework/reports/report_scope.h"
#include "framework/reports/report_tables.h"
#include "framework/sweeps/sweep.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostAxes = 6;       // of the parallel coordinates
constexpr size_t kMostEffects = 16;   // with a chart
constexpr size_t kMostColumns = 10;   // of a comparison, values beside its statistics counted last
constexpr size_t kMostLabelKeys = 3;  // with a column each in place of the label
constexpr size_t kMostRemarks = 50;
constexpr uint64_t kMaxLogBytes = uint64_t{16} << 20;

using Remarks = std::vector<std::pair<std::string, std::string>>;  // on runs

// As a list, which is cut where it is long.
std::string list_of(const Remarks& remarks) {
  if (remarks.empty()) return "";
  std::string out = "<ul>";
  for (size_t i = 0; i < std::min(remarks.size(), kMostRemarks); ++i) {
    out +=
        fmt::format("<li>{}: {}</li>\n", breakable(remarks[i].first), breakable(remarks[i].second));
  }
  if (remarks.size() > kMostRemarks) {
    out += fmt::format("<li>and {} more</li>", remarks.size() - kMostRemarks);
  }
  return out + "</ul>";
}

// Why runs do not count in a comparison, or should be taken with care.
std::string remarks_of(const Comparison& comparison) {
  Remarks out;
  const auto add = [&](const auto& remarks) {
    for (const auto& [run, remark] : remarks) out.emplace_back(run->path.string(), remark);
  };
  add(comparison.left_out);
  for (const Group& group : comparison.groups) add(group.remarks);
  return list_of(out);
}

// What decides comes right after what tells the groups apart, so that no window cuts it off.
// `folded`: keys without a column.
std::vector<std::vector<std::string>> comparison_rows(const Comparison& comparison,
                                                      std::vector<std::string>& folded) {
  const bool many_keys = comparison.label_keys.size() > kMostLabelKeys;
  ComparisonTable table = table_of(comparison, {.always_labels = many_keys});
  folded = table.folded;
  for (size_t i = table.columns.size(); i-- > 0 && table.columns.size() > kMostColumns;) {
    if (table.columns[i].rank >= kOtherColumn)
      table.columns.erase(table.columns.begin() + static_cast<std::ptrdiff_t>(i));
  }
  const bool has_labels = many_keys || comparison.label_keys.empty();
  const std::string seeds =
      has_labels ? table.columns[1].cells[0] : replicate_word(comparison) + "s";
  auto next = std::find_if(table.columns.begin(), table.columns.end(),
                           [&](const auto& column) { return column.cells[0] == seeds; });
  if (table.columns[0].cells[0] == "group") next = table.columns.begin() + 1;
  for (const char* heading : {"verdict", "difference", "95 % of it", "marks"}) {
    const auto found = std::find_if(next, table.columns.end(),
                                    [&](const auto& column) { return column.cells[0] == heading; });
    if (found != table.columns.end()) std::rotate(next++, found, found + 1);
  }
  return table.rows();
}

// Numbers stay with their unit.
std::string unparted(std::string html) {
  for (size_t at; (at = html.find(" %")) != html.npos;) html.replace(at, 1, "&nbsp;");
  return html;
}

// The groups of a section, where one has several seeds.
std::string compared(Comparison comparison) {
  const auto repeated = [](const Group& group) { return group.counted.size() > 1; };
  const auto& groups = comparison.groups;
  if (std::none_of(groups.begin(), groups.end(), repeated)) return "";
  std::string lines;
  if (groups.size() > 1)
    lines = "<p class=\"headline\">" + unparted(html(headline(comparison))) + "</p>\n";
  sort_groups(comparison, comparison.metric);
  std::vector<std::string> folded;
  const auto rows = comparison_rows(comparison, folded);
  std::string others;
  for (const std::string& key : folded)
    others += (others.empty() ? "Also differ: " : ", ") + breakable(key);
  return note("Runs that differ in their seed alone are one group.") + lines +
         "<div class=\"wide\">" + text_table(rows) + "</div>" +
         (others.empty() ? "" : "<p class=\"note below\">" + others + ".</p>") +
         remarks_of(comparison);
}

// Of charts that every section has: the first's have the plain name.
std::string suffix_of(const ReportData& data, const ReportSection& section) {
  const auto number = static_cast<size_t>(&section - data.sections.data());
  return number == 0 ? "" : fmt::format("-{}", number);
}

// A chart for each of the main parameters; those of others are drawn where they are asked for.
std::string effects_of(ReportPage& page, const ReportData& data, const ReportSection& section) {
  const auto parameters = parameters_of(data, section);
  if (parameters.empty()) return "";
  std::string main, more, names;
  for (size_t i = 0; i < std::min(parameters.size(), kMostEffects); ++i) {
    const ReportColumn& column = parameters[i];
    const std::string chart =
        page.chart("effect-" + column.id + suffix_of(data, section), effect_chart(column));
    (i < kMainParameters ? main : more) += chart;
  }
  for (size_t i = kMainParameters; i < parameters.size(); ++i)
    names += (names.empty() ? "" : ", ") + breakable(parameters[i].name);
  std::string out =
      note(
          "Each mark is a run, each bar the mean of the finished runs with this value, whatever "
          "else they differ in; a cross counts those that diverged or failed.") +
      "<div class=\"grid\">" + main + "</div>";
  if (names.empty()) return out;
  std::string cut;
  if (parameters.size() > kMostEffects)
    cut = note(fmt::format("Charts of the first {}.", kMostEffects - kMainParameters));
  return out + fmt::format(
                   "<details class=\"more\"><summary>{} more that differ: {}</summary>"
                   "{}<div class=\"grid\">{}</div></details>\n",
                   parameters.size() - kMainParameters, names, cut, more);
}

// The last line of the run's log, without its time. A sweep's trial goes on with the sweep.
std::string last_words(const RunRecord& run) {
  try {
    std::string text = read_file(Folder::open(run.path) / "log.txt", kMaxLogBytes);
    text.erase(text.find_last_not_of('\n') + 1);
    const std::string line = text.substr(text.rfind('\n') + 1);
    const std::string words = line.substr(line.find(' ') + 1), advice = "runner resume ";
    const size_t at = words.find(advice);
    const auto sweep = sweep_of(run.path);
    if (at == words.npos || sweep.empty()) return words;
    return words.substr(0, at) + advice + escape(from_here(sweep).string());
  } catch (const Error&) {
    return "";  // killed before it had a log
  }
}

}  // namespace

void ReportPage::add(const std::string& id, const std::string& heading,
                     const std::string& content) {
  navigation += fmt::format("<a href=\"#{}\">{}</a>", id, heading);
  sections += fmt::format("<section id=\"{}\"><h2>{}</h2>\n{}\n</section>\n", id, heading, content);
}

void ReportPage::add_parts(const std::string& id, const std::string& heading,
                           const ReportData& data,
                           const std::function<std::string(const ReportSection&)>& content_of) {
  std::string content;
  for (size_t i = 0; i < data.sections.size(); ++i) {
    const std::string part = content_of(data.sections[i]);
    if (part.empty()) continue;
    content += data.sections.size() == 1
                   ? part
                   : fmt::format("<div data-section=\"{}\">{}</div>\n", i, part);
  }
  if (!content.empty()) add(id, heading, content);
}

std::string ReportPage::chart(const std::string& name, nlohmann::ordered_json specification) {
  charts[name] = std::move(specification);
  return fmt::format("<div class=\"chart\" data-chart=\"{}\"></div>\n", name);
}

std::string note(const std::string& text) { return "<p class=\"note\">" + text + "</p>\n"; }

void add_runs(ReportPage& page, const ReportData& data) {
  if (data.runs.size() == 1) {
    if (data.first_metric()) page.add("results", "Results", figures(data, 0));
    return;
  }
  page.add(
      "runs", "Runs",
      "<details id=\"columns\"><summary></summary><div></div></details>\n<div class=\"wide\">" +
          runs_table(data) + "</div>");
}

void add_unfinished(ReportPage& page, const ReportData& data) {
  Remarks remarks;
  for (size_t i = 0; i < data.runs.size(); ++i) {
    const RunRecord& run = data.runs[i];
    if (run.is_finished() || run.status == "running") continue;
    const std::string reason = run.is_readable() ? last_words(run) : run.error;
    remarks.emplace_back(data.labels[i], run.status + (reason.empty() ? "" : ": " + reason));
  }
  if (!remarks.empty()) page.add("unfinished", "Not finished", list_of(remarks));
}

void add_comparison(ReportPage& page, const ReportData& data) {
  page.add_parts("comparison", "Comparison over seeds", data, [](const ReportSection& section) {
    return section.comparison ? compared(*section.comparison) : "";
  });
}

void add_curves(ReportPage& page, const ReportData& data, const nlohmann::ordered_json& curves) {
  if (curves.at("rows").empty() || curves.at("metrics").empty()) return;
  std::string text = "Each run is a line";
  if (data.runs.size() > 1)
    text += "; a thick one is the mean of its colour and dashes, as far as all of its runs go";
  if (const auto every = curves.at("every").get<size_t>(); every > 1) {
    text += fmt::format("; of long histories one epoch in {} is drawn", every);
  }
  page.add("curves", "Learning curves",
           note(text + ". Point at a line to see its values.") +
               page.chart("curves", curves_chart(curves)));
}

void add_parameters(ReportPage& page, const ReportData& data) {
  if (!data.first_metric()) return;
  page.add_parts("effects", "Effect of each parameter", data,
                 [&](const ReportSection& section) { return effects_of(page, data, section); });
  page.add_parts("parallel", "Parallel coordinates", data, [&](const ReportSection& section) {
    auto parameters = parameters_of(data, section);
    if (parameters.empty()) return std::string();
    std::string cut;
    if (parameters.size() > kMostAxes) {
      cut = fmt::format(" Of {} parameters that differ, the {} that part the runs most.",
                        parameters.size(), kMostAxes);
      parameters.resize(kMostAxes);
    }
    std::vector<const ReportColumn*> columns;
    for (const ReportColumn& column : parameters) columns.push_back(&column);
    return note(
               "Drag along an axis to keep the runs that cross it there; the table and the other "
               "charts follow. A click on the axis lets all back." +
               cut) +
           page.chart("parallel" + suffix_of(data, section), parallel_chart(columns));
  });
}

void add_costs(ReportPage& page, const ReportData& data) {
  page.add_parts("costs", "Size and time", data, [&](const ReportSection& section) {
    std::string charts;
    for (const char* name : {"model.parameters", "seconds"}) {
      const ReportColumn* column = data.column(name);
      const ReportColumn own = column ? within(data, *column, section) : ReportColumn();
      if (own.values.size() < 2) continue;
      charts += page.chart("cost-" + own.id + suffix_of(data, section), cost_chart(own));
    }
    if (charts.empty()) return charts;
    return note(
               "The dashed line joins the runs that none beats with less, of groups in which no "
               "run diverged or failed.") +
           "<div class=\"grid two\">" + charts + "</div>";
  });
}

void add_shared(ReportPage& page, const ReportData& data) {
  std::vector<const Json*> configs, environments, datasets;
  for (const RunRecord& run : data.runs) {
    if (!run.is_readable()) continue;
    configs.push_back(&run.config);
    environments.push_back(&run.metrics.environment);
    datasets.push_back(&run.metrics.dataset);
  }
  std::string tables;
  const auto add = [&](const char* heading, const std::vector<const Json*>& objects) {
    const Json shared = shared_members(objects);
    if (shared.empty()) return;
    tables += fmt::format("<div><h3>{}</h3>{}</div>", heading, value_table(shared));
  };
  if (data.runs.size() > 1) add("Config", configs);
  add("Data", datasets);
  add("Environment", environments);
  if (tables.empty()) return;
  page.add("shared", data.runs.size() > 1 ? "What all runs share" : "Data and environment",
           "<div class=\"columns\">" + tables + "</div>");
}

}  // namespace vitrine
