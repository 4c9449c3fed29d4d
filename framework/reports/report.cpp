#include "framework/reports/report.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "framework/comparing/failures.h"
#include "framework/error.h"
#include "framework/files/html.h"
#include "framework/reports/breakable.h"
#include "framework/reports/page.h"
#include "framework/reports/report_data.h"
#include "framework/reports/report_scope.h"
#include "framework/reports/report_sections.h"
#include "framework/sweeps/sweep.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;
using Kind = ReportColumn::Kind;

// What asha stopped between two rungs is "paused", as the sweep itself calls it.
void tell_paused(std::vector<RunRecord>& runs) {
  std::map<std::filesystem::path, Sweep> sweeps;
  for (RunRecord& run : runs) {
    if (run.status != to_string(TrialStatus::kStopped)) continue;
    const auto folder = sweep_of(run.path);
    if (folder.empty()) continue;
    try {
      auto known = sweeps.find(folder);
      if (known == sweeps.end()) known = sweeps.emplace(folder, Sweep::open(folder)).first;
      const auto trial = known->second.find(run.path);
      if (trial && known->second.state(*trial).status == TrialStatus::kPaused) {
        run.status = to_string(TrialStatus::kPaused);
      }
    } catch (const Error&) {  // a damaged sweep hides no run
    }
  }
}

std::string title_of(const ReportData& data) {
  std::set<std::string> names;
  for (const RunRecord& run : data.runs) names.insert(run.metrics.name);
  names.erase("");  // of runs that cannot be read
  if (names.empty()) return "Runs";
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return names.size() <= 3 ? out : fmt::format("{} experiments", names.size());
}

// By validation alone: what is chosen by the test has no test left. Of groups, not of runs: the
// best seed is luck, and one that survived others no result.
std::string best_of(const ReportData& data, const ReportSection& section) {
  const ReportColumn* metric = first_metric(data, section);
  const bool chooses = section.runs.size() > 1 && metric && metric->name.starts_with("validation/");
  const auto& comparison = section.comparison;
  const Group* best = chooses && comparison ? best_group(*comparison, metric->name) : nullptr;
  if (best == nullptr) return "";
  const auto run = static_cast<size_t>(best->counted[0] - data.runs.data());
  const Spread spread = best->spread(metric->name);
  const std::string name = html(metric->name), value = html(cell_text(spread.mean, *metric));
  const std::string label = html(spread.n == 1 ? data.labels[run] : best->label);
  const bool is_alone = comparison->groups.size() == 1 && spread.n > 1;
  std::string out = is_alone ? fmt::format("{} {}", name, value)
                             : fmt::format("Best by {}: {} with {}", name, label, value);
  if (spread.n > 1) out += fmt::format(", the mean of {} seeds", spread.n);
  const std::string failures = shown_failures(*best);
  return out + (failures.empty() ? "" : "; " + failures);
}

// How many runs there are and how they stand.
std::string summary_of(const ReportData& data) {
  std::map<std::string, size_t> statuses;
  for (const RunRecord& run : data.runs) ++statuses[run.status];
  std::string out = data.runs.size() == 1 ? html(data.labels[0]) + ": "
                                          : fmt::format("{} runs: ", data.runs.size());
  for (const auto& [status, count] : statuses) {
    if (out.back() != ' ') out += ", ";
    out += data.runs.size() == 1 ? status : fmt::format("{} {}", count, status);
  }
  if (data.sections.size() > 1) return "<p>" + out + "</p>\n";
  const std::string best = best_of(data, data.sections[0]);
  return "<p>" + out + (best.empty() ? "" : ". " + best) + "</p>\n";
}

// Which runs the page shows, where tests measure different things.
std::string section_choice(const ReportData& data) {
  if (data.sections.size() == 1) return "";
  std::string out, best;
  const auto add = [&](const std::string& value, const std::string& label, size_t runs) {
    out += fmt::format(
        "<label><input type=\"radio\" name=\"section\" value=\"{}\"{}> <span>{} <small>{} "
        "run{}</small></span></label>\n",
        value, value == "0" ? " checked" : "", breakable(label), runs, runs == 1 ? "" : "s");
  };
  for (size_t i = 0; i < data.sections.size(); ++i) {
    const ReportSection& section = data.sections[i];
    add(std::to_string(i), section.label, section.runs.size());
    const std::string own = best_of(data, section);
    if (!own.empty()) best += fmt::format("<p data-section=\"{}\">{}</p>\n", i, own);
  }
  add("", "all", data.runs.size());
  return "<p>Their tests measure different things (other images or tasks), so runs are compared "
         "within one of these alone:</p>\n<div id=\"sections\" role=\"radiogroup\">" +
         out + "</div>\n" + best;
}

Json id_of(const ReportColumn* column) { return column ? Json(column->id) : Json(); }

std::string selection(const std::string& id, const std::string& label,
                      const std::vector<const ReportColumn*>& columns, const ReportColumn* selected,
                      const std::string& none) {
  std::string out = none.empty() ? "" : "<option value=\"\">" + none + "</option>";
  for (const ReportColumn* column : columns) {
    out += fmt::format("<option value=\"{}\"{}>{}</option>", column->id,
                       column == selected ? " selected" : "", html(column->name));
  }
  return fmt::format("<label>{} <select id=\"{}\">{}</select></label>\n", label, id, out);
}

// What all charts and the table follow; nothing for a single run.
std::string controls(const ReportData& data) {
  if (data.runs.size() == 1) return "";
  std::string out = "<div class=\"controls\">";
  if (data.first_metric()) {
    out += selection("metric", "Metric", data.columns_of(Kind::kMetric),
                     first_metric(data, data.sections[0]), "");
  }
  std::vector<const ReportColumn*> colours;
  for (const ReportColumn& column : data.columns) colours.push_back(&column);
  out += selection("colour", "Colour by", colours, first_colour(data, data.sections[0]), "nothing");
  return out +
         "<label class=\"filter\">Filter <input id=\"filter\" type=\"search\" "
         "placeholder=\"hidden_d=8,16 test/accuracy&gt;90% finished\" autocomplete=\"off\" "
         "aria-describedby=\"filter-problem\"></label>\n"
         "<output id=\"count\"></output><span id=\"filter-problem\" role=\"alert\"></span>"
         "<div id=\"legend\"></div></div>\n";
}

Json columns_json(const ReportData& data) {
  constexpr const char* kKinds[] = {"label", "status", "section", "name", "parameter",
                                    "group", "seed",   "metric",  "fact"};
  Json out = Json::array();
  for (const ReportColumn& column : data.columns) {
    out.push_back({{"id", column.id},
                   {"name", column.name},
                   {"kind", kKinds[static_cast<int>(column.kind)]},
                   {"numeric", column.numeric},
                   {"unit", column.info.unit},
                   {"goal", column.info.goal}});
  }
  return out;
}

// What the page shows of each section at first.
Json sections_json(const ReportData& data) {
  Json out = Json::array();
  for (const ReportSection& section : data.sections) {
    out.push_back({{"label", section.label},
                   {"metric", id_of(first_metric(data, section))},
                   {"colour", id_of(first_colour(data, section))},
                   {"columns", shown_columns(data, section)}});
  }
  return out;
}

}  // namespace

std::string report_page(std::vector<RunRecord> runs, const std::vector<std::string>& places,
                        int64_t refresh) {
  tell_paused(runs);
  const ReportData data = report_data(std::move(runs));
  const Json curves = curves_of(data);
  ReportPage page;
  add_runs(page, data);
  add_unfinished(page, data);
  add_comparison(page, data);
  add_curves(page, data, curves);
  add_parameters(page, data);
  add_costs(page, data);
  add_pictures(page, places);
  add_details(page, data);
  add_shared(page, data);
  const Json json = {{"columns", columns_json(data)},
                     {"sections", sections_json(data)},
                     {"runs", run_rows(data)},
                     {"curves", curves},
                     {"charts", page.charts}};
  const std::string title = title_of(data);
  return html_page(title,
                   "<header><h1>" + html(title) + "</h1>\n" + summary_of(data) +
                       section_choice(data) + "<nav>" + page.navigation + "</nav></header>\n" +
                       controls(data) + "<main>\n" + page.sections + "</main>\n",
                   json, refresh);
}

}  // namespace vitrine
