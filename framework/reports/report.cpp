#include "framework/reports/report.h"

#include <fmt/format.h>

#include <set>

#include "framework/reports/html.h"
#include "framework/reports/page.h"
#include "framework/reports/report_charts.h"
#include "framework/reports/report_data.h"
#include "framework/reports/report_table.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;
using Role = ReportColumn::Role;

constexpr size_t kMostAxes = 10;  // of the parallel coordinates, and effects

struct Page {
  std::string title;
  std::string navigation, sections;
  Json charts = Json::object();

  void add(const std::string& id, const std::string& heading, const std::string& content) {
    navigation += fmt::format("<a href=\"#{}\">{}</a>", id, heading);
    sections +=
        fmt::format("<section id=\"{}\"><h2>{}</h2>\n{}\n</section>\n", id, heading, content);
  }
  // Where the chart is drawn.
  std::string chart(const std::string& name, Json specification) {
    charts[name] = std::move(specification);
    return fmt::format("<div class=\"chart\" data-chart=\"{}\"></div>", name);
  }
};

std::string note(const std::string& text) { return "<p class=\"note\">" + text + "</p>\n"; }

std::string title_of(const ReportData& data) {
  std::set<std::string> names;
  for (const RunRecord& run : data.runs) names.insert(run.metrics.name);
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return names.size() <= 3 ? out : fmt::format("{} experiments", names.size());
}

void add_runs(Page& page, const ReportData& data) {
  page.add("runs", "Runs", "<div class=\"wide\">" + runs_table(data) + "</div>\n");
}

void add_curves(Page& page, const ReportData& data, const Json& curves) {
  if (curves.at("rows").empty()) return;
  std::string text = "Each run is a line";
  if (data.runs.size() > 1) text += "; a thick one is the mean of the runs of its colour";
  if (const auto every = curves.at("every").get<size_t>(); every > 1)
    text += fmt::format("; long histories are shown at every {}th epoch", every);
  page.add("curves", "Learning curves",
           note(text + ". Point at a line to see whose it is.") +
               page.chart("curves", curves_chart(curves)));
}

void add_parameters(Page& page, const ReportData& data) {
  auto parameters = data.columns_of(Role::kParameter);
  if (parameters.empty() || !data.first_metric()) return;
  std::string cut;
  if (parameters.size() > kMostAxes) {
    cut = fmt::format(" The first {} of {} parameters that differ.", kMostAxes, parameters.size());
    parameters.resize(kMostAxes);
  }
  std::string effects;
  for (const ReportColumn* column : parameters)
    effects += page.chart("effect-" + column->id, effect_chart(*column));
  page.add("effects", "Effect of each parameter",
           note("Each dot is a run, each bar the mean over the runs with this value, whatever "
                "else they differ in." +
                cut) +
               "<div class=\"grid\">" + effects + "</div>");
  page.add("parallel", "Parallel coordinates",
           note("Drag along an axis to keep the runs that cross it there; the table and the other "
                "charts follow. A click on the axis lets all back." +
                cut) +
               page.chart("parallel", parallel_chart(parameters)));
}

void add_costs(Page& page, const ReportData& data) {
  std::string charts;
  for (const char* name : {"model.parameters", "seconds"}) {
    const ReportColumn* column = data.column(name);
    if (column && column->values.size() > 1)
      charts += page.chart(std::string("cost-") + column->id, cost_chart(*column));
  }
  if (charts.empty()) return;
  page.add("costs", "What it costs",
           note("The dashed line joins the runs that none beats with less.") +
               "<div class=\"grid two\">" + charts + "</div>");
}

std::string controls(const ReportData& data) {
  const auto option = [](const ReportColumn& column, bool selected) {
    return fmt::format("<option value=\"{}\"{}>{}</option>", column.id, selected ? " selected" : "",
                       html(column.name));
  };
  std::string metrics, colours = "<option value=\"\">nothing</option>";
  const auto parameters = data.columns_of(Role::kParameter);
  for (const ReportColumn* column : data.columns_of(Role::kMetric))
    metrics += option(*column, column == data.first_metric());
  for (const ReportColumn& column : data.columns) {
    if (column.role == Role::kMetric && !column.numeric) continue;
    colours += option(column, !parameters.empty() && &column == parameters[0]);
  }
  std::string out = "<form class=\"controls\" onsubmit=\"return false\">";
  out = "<div class=\"controls\">";
  if (!metrics.empty())
    out += "<label>Metric <select id=\"metric\">" + metrics + "</select></label>";
  if (data.runs.size() > 1) {
    out += "<label>Colour by <select id=\"colour\">" + colours + "</select></label>";
    out +=
        "<label class=\"filter\">Filter <input id=\"filter\" type=\"search\" "
        "placeholder=\"hidden_d=8 accuracy&gt;0.9 finished\" autocomplete=\"off\" "
        "aria-describedby=\"filter-problem\"></label>";
  }
  return out +
         "<output id=\"count\"></output><span id=\"filter-problem\"></span>"
         "<div id=\"legend\"></div></div>";
}

Json columns_json(const ReportData& data) {
  constexpr const char* kRoles[] = {"label", "status", "parameter", "seed", "metric"};
  Json out = Json::array();
  for (const ReportColumn& column : data.columns) {
    out.push_back({{"id", column.id},
                   {"name", column.name},
                   {"role", kRoles[static_cast<int>(column.role)]},
                   {"numeric", column.numeric},
                   {"unit", column.info.unit},
                   {"goal", column.info.goal}});
  }
  return out;
}

std::string head(const std::string& title) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
      "style-src '{}'; script-src '{}' '{}'; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n",
      content_hash(page_style()), content_hash(page_vega()), content_hash(page_script()),
      html(title), page_style());
}

}  // namespace

std::string report_page(std::vector<RunRecord> runs) {
  const ReportData data = report_data(std::move(runs));
  const Json curves = curves_of(data);
  Page page;
  page.title = title_of(data);
  add_runs(page, data);
  add_curves(page, data, curves);
  add_parameters(page, data);
  add_costs(page, data);

  const auto parameters = data.columns_of(Role::kParameter);
  const Json json = {{"columns", columns_json(data)},
                     {"metric", data.first_metric() ? Json(data.first_metric()->id) : Json()},
                     {"colour", parameters.empty() ? Json() : Json(parameters[0]->id)},
                     {"runs", run_rows(data)},
                     {"curves", curves},
                     {"charts", page.charts}};
  std::string out = head(page.title + " · Vitrine");
  out += "<body>\n<header><h1>" + html(page.title) + "</h1>\n<nav>" + page.navigation +
         "</nav></header>\n" + controls(data) + "\n<main>\n" + page.sections +
         "</main>\n<div id=\"tip\" role=\"tooltip\" hidden></div>\n";
  out += "<script type=\"application/json\" id=\"data\">" + script_json(json) + "</script>\n";
  out += "<script>" + std::string(page_vega()) + "</script>\n<script>" +
         std::string(page_script()) + "</script>\n</body>\n</html>\n";
  return out;
}

}  // namespace vitrine
