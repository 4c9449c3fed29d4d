#include "framework/reports/report_sections.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/error.h"
#include "framework/files/file.h"
#include "framework/reports/comparison.h"
#include "framework/reports/comparison_table.h"
#include "framework/reports/comparison_text.h"
#include "framework/reports/html.h"
#include "framework/reports/report_charts.h"
#include "framework/reports/report_tables.h"
#include "framework/sweeps/sweep.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;
using Kind = ReportColumn::Kind;

constexpr size_t kMostAxes = 10;  // of the parallel coordinates, and effects
constexpr size_t kMostRemarks = 50;
constexpr uint64_t kMaxLogBytes = uint64_t{16} << 20;

using Remarks = std::vector<std::pair<std::string, std::string>>;  // on runs

// As a list, which is cut where it is long.
std::string list_of(const Remarks& remarks) {
  if (remarks.empty()) return "";
  std::string out = "<ul>";
  for (size_t i = 0; i < std::min(remarks.size(), kMostRemarks); ++i) {
    out += fmt::format("<li>{}: {}</li>\n", html(remarks[i].first), html(remarks[i].second));
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
std::vector<std::vector<std::string>> comparison_rows(const Comparison& comparison) {
  ComparisonTable table = table_of(comparison, {});
  const std::string seeds = replicate_word(comparison) + "s";
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

// The last line of the run's log, without its time. A sweep's trial goes on with the sweep.
std::string last_words(const RunRecord& run) {
  try {
    std::string text = read_file(run.path / "log.txt", kMaxLogBytes);
    text.erase(text.find_last_not_of('\n') + 1);
    const std::string line = text.substr(text.rfind('\n') + 1);
    const std::string words = line.substr(line.find(' ') + 1), advice = "runner resume ";
    const size_t at = words.find(advice);
    const auto sweep = sweep_of(run.path);
    if (at == words.npos || sweep.empty()) return words;
    return words.substr(0, at) + advice + escape(std::filesystem::proximate(sweep).string());
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
  page.add("runs", "Runs", "<div class=\"wide\">" + runs_table(data) + "</div>");
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

void add_comparison(ReportPage& page, Comparison comparison) {
  const auto repeated = [](const Group& group) { return group.counted.size() > 1; };
  const auto& groups = comparison.groups;
  if (std::none_of(groups.begin(), groups.end(), repeated)) return;
  sort_groups(comparison, comparison.metric);
  std::string lines;
  if (groups.size() > 1) {
    lines = "<p class=\"headline\">" + html(headline(comparison)) + "</p>\n";
  }
  page.add("comparison", "Comparison over seeds",
           note("Runs that differ in their seed alone are one group.") + lines +
               "<div class=\"wide\">" + text_table(comparison_rows(comparison)) + "</div>" +
               remarks_of(comparison));
}

void add_curves(ReportPage& page, const ReportData& data, const nlohmann::ordered_json& curves) {
  if (curves.at("rows").empty() || curves.at("metrics").empty()) return;
  std::string text = "Each run is a line";
  if (data.runs.size() > 1)
    text += "; a thick one is the mean of its colour, as far as all of its runs go";
  if (const auto every = curves.at("every").get<size_t>(); every > 1) {
    text += fmt::format("; of long histories one epoch in {} is drawn", every);
  }
  page.add("curves", "Learning curves",
           note(text + ". Point at a line to see its values.") +
               page.chart("curves", curves_chart(curves)));
}

void add_parameters(ReportPage& page, const ReportData& data) {
  auto parameters = data.columns_of(Kind::kParameter);
  if (parameters.empty() || !data.first_metric()) return;
  std::string cut;
  if (parameters.size() > kMostAxes) {
    cut = fmt::format(" The first {} of {} parameters that differ.", kMostAxes, parameters.size());
    parameters.resize(kMostAxes);
  }
  std::string effects;
  for (const ReportColumn* column : parameters) {
    effects += page.chart("effect-" + column->id, effect_chart(*column));
  }
  page.add("effects", "Effect of each parameter",
           note("Each dot is a run, each bar the mean of the finished runs with this value, "
                "whatever else they differ in; a cross counts those that diverged or failed." +
                cut) +
               "<div class=\"grid\">" + effects + "</div>");
  page.add("parallel", "Parallel coordinates",
           note("Drag along an axis to keep the runs that cross it there; the table and the other "
                "charts follow. A click on the axis lets all back." +
                cut) +
               page.chart("parallel", parallel_chart(parameters)));
}

void add_costs(ReportPage& page, const ReportData& data) {
  std::string charts;
  for (const char* name : {"model.parameters", "seconds"}) {
    const ReportColumn* column = data.column(name);
    if (column && column->values.size() > 1) {
      charts += page.chart("cost-" + column->id, cost_chart(*column));
    }
  }
  if (charts.empty()) return;
  page.add("costs", "Size and time",
           note("The dashed line joins the runs that none beats with less, of groups in which no "
                "run diverged or failed.") +
               "<div class=\"grid two\">" + charts + "</div>");
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
