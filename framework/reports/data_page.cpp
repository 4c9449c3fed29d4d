#include "framework/reports/data_page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "framework/comparing/text_table.h"
#include "framework/error.h"
#include "framework/files/html.h"
#include "framework/images/encode.h"
#include "framework/reports/breakable.h"
#include "framework/reports/page.h"
#include "framework/reports/report_charts.h"
#include "framework/reports/report_sections.h"
#include "framework/reports/report_tables.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

constexpr size_t kMostBars = 60;   // classes with a bar and a name each
constexpr size_t kMostRows = 40;   // classes in a table
constexpr size_t kMostAlone = 20;  // classes with a line each

std::string picture(const ShownImage& shown, const std::string& caption) {
  const std::string text = caption.empty() ? "" : "<figcaption>" + caption + "</figcaption>";
  return fmt::format("<figure title=\"{}\"><img alt=\"\" src=\"{}\">{}</figure>\n",
                     html(shown.name), data_uri("image/png", encode_png(shown.image)), text);
}

std::string pictures(const std::vector<ShownImage>& images) {
  std::string out = "<div class=\"images\">";
  for (const ShownImage& each : images) out += picture(each, "");
  return out + "</div>";
}

void add_findings(ReportPage& page, const DataView& view) {
  if (view.findings.empty()) return;
  std::string out = "<ul>";
  for (const std::string& finding : view.findings) out += "<li>" + html(finding) + "</li>\n";
  page.add("warnings", "Warnings", out + "</ul>");
}

void add_column(ReportPage& page, const DataView& view, const DataColumn& column, size_t number) {
  const std::string id = fmt::format("column-{}", number);
  const std::string title = view.columns.size() == 1 ? "Labels" : "Column " + html(column.name);
  if (!column.ranges.empty()) {
    page.add(id, title, "<div class=\"wide\">" + text_table(range_rows(view, column)) + "</div>");
    return;
  }
  std::string out = "<div class=\"beside counts\">";
  for (size_t i = 0; i < view.splits.size(); ++i) {
    out += "<div><h3>" + html(view.splits[i]) + "</h3>" +
           page.chart(fmt::format("counts-{}-{}", number, i),
                      counts_chart(column.names, column.images[i], kMostBars)) +
           "</div>";
  }
  out += "</div>";
  out += "<details class=\"more\"><summary>as a table</summary>";
  if (column.names.size() > kMostRows) {
    out += note(fmt::format("Of {} classes those with the fewest and the most training images.",
                            grouped(std::ssize(column.names))));
  }
  out +=
      "<div class=\"wide\">" + text_table(count_rows(view, column, kMostRows)) + "</div></details>";
  page.add(id, title, out);
}

std::string listed(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& each : words) out += "<code>" + html(each) + "</code> ";
  return out;
}

void add_images(ReportPage& page, const DataView& view) {
  if (view.classes.empty()) return;
  std::string text = "Training images that the seed chooses, as they are stored";
  const bool is_drawn = std::any_of(view.classes.begin(), view.classes.end(),
                                    [](const ShownClass& one) { return !one.augmented.empty(); });
  text += is_drawn ? ". Behind the line the first of them as epochs draw it, by the transforms " +
                         listed(view.drawn)
                   : ".";
  std::string out = note(text);
  if (std::ssize(view.classes) < view.all_classes) {
    out += note(fmt::format("{} of {} classes, at equal distances.", view.classes.size(),
                            grouped(view.all_classes)));
  }
  if (!view.scaled.empty() && is_drawn) out += note(html(view.scaled) + ".");
  out += view.classes.size() > kMostAlone ? "<div class=\"contacts many\">"
                                          : "<div class=\"contacts\">";
  for (const ShownClass& one : view.classes) {
    out += "<div class=\"contact\"><h3>" + breakable(one.name) + "</h3>" + pictures(one.stored);
    if (!one.augmented.empty()) out += pictures(one.augmented);
    if (one.stored.empty()) out += note("no training image");
    out += "</div>\n";
  }
  page.add("images", "Images", out + "</div>");
}

void add_mixed(ReportPage& page, const DataView& view) {
  if (view.mixed.empty()) return;
  std::string out = note("Batches of a few images, mixed by " + listed(view.mixes) +
                         "as the seed draws it; each is what stands below it.");
  for (const std::vector<ShownImage>& batch : view.mixed) {
    out += "<div class=\"images mixed\">";
    for (const ShownImage& each : batch) out += picture(each, html(each.name));
    out += "</div>";
  }
  page.add("mixed", "Mixed", out);
}

void add_shared(ReportPage& page, const DataView& view) {
  std::string out = "<ul>";
  for (const std::string& line : shared_lines(view)) out += "<li>" + html(line) + "</li>\n";
  out += "</ul>";
  for (const SharedImages& shared : view.shared) {
    out += "<div class=\"images pairs\">";
    for (const SharedImages::Pair& pair : shared.first) {
      const std::string names = breakable(pair.name) + " = " + breakable(pair.other_name);
      if (pair.image) out += picture({pair.name + " = " + pair.other_name, *pair.image}, names);
      if (!pair.image) out += "<p>" + names + "</p>";
    }
    out += "</div>";
  }
  page.add("shared", "In two splits", out);
}

}  // namespace

Rows count_rows(const DataView& view, const DataColumn& column, size_t most) {
  Rows out = {{"class"}};
  out[0].insert(out[0].end(), view.splits.begin(), view.splits.end());
  std::vector<size_t> order(column.names.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  const bool is_cut = order.size() > most;
  if (is_cut) {
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return column.images[0][a] < column.images[0][b]; });
    order.erase(order.begin() + static_cast<std::ptrdiff_t>(most / 2),
                order.end() - static_cast<std::ptrdiff_t>(most - most / 2));
  }
  for (size_t i = 0; i < order.size(); ++i) {
    if (is_cut && i == most / 2) out.push_back(std::vector<std::string>(out[0].size(), "..."));
    std::vector<std::string> row = {escape(column.names[order[i]])};
    for (const auto& images : column.images) row.push_back(grouped(images[order[i]]));
    out.push_back(std::move(row));
  }
  return out;
}

Rows range_rows(const DataView& view, const DataColumn& column) {
  Rows out = {{"value", "split", "least", "average", "most"}};
  for (size_t k = 0; k < column.names.size(); ++k) {
    for (size_t i = 0; i < view.splits.size(); ++i) {
      const DataColumn::Range& range = column.ranges[i][k];
      out.push_back({escape(column.names[k]), view.splits[i], fmt::format("{:.5g}", range.least),
                     fmt::format("{:.5g}", range.average), fmt::format("{:.5g}", range.most)});
    }
  }
  return out;
}

std::vector<std::string> shared_lines(const DataView& view) {
  std::vector<std::string> out;
  for (const SharedImages& shared : view.shared) {
    const size_t split = static_cast<size_t>(
        std::find(view.splits.begin(), view.splits.end(), shared.split) - view.splits.begin());
    out.push_back(fmt::format("{} of the {} {} images {} in {} as well, byte for byte: {} = {}",
                              grouped(shared.images), grouped(view.images[split]), shared.split,
                              shared.images == 1 ? "is" : "are", shared.other,
                              escape(shared.first[0].name), escape(shared.first[0].other_name)));
  }
  if (view.unread > 0) {
    out.push_back(
        fmt::format("{} images were not compared between splits: too much would have to "
                    "be read",
                    grouped(view.unread)));
  } else if (out.empty()) {
    out.emplace_back("no image is in two splits, byte for byte");
  }
  return out;
}

std::string data_page(const DataView& view, const std::string& name, const std::string& config) {
  ReportPage page;
  add_findings(page, view);
  for (size_t i = 0; i < view.columns.size(); ++i) add_column(page, view, view.columns[i], i);
  add_images(page, view);
  add_mixed(page, view);
  add_shared(page, view);
  page.add("config", "Config", "<pre>" + html(config) + "</pre>");
  // As of a page about no runs, of which the script draws the charts.
  const Json empty = Json::array();
  const Json json = {
      {"columns", empty},
      {"sections", {{{"label", ""}, {"metric", nullptr}, {"colour", nullptr}, {"columns", empty}}}},
      {"runs", empty},
      {"curves", {{"names", empty}, {"rows", empty}, {"metrics", empty}, {"every", 1}}},
      {"charts", page.charts}};
  const std::string body = "<header><h1>" + html(name) + "</h1>\n<p>" + html(view.line) +
                           "</p>\n<nav>" + page.navigation + "</nav></header>\n<main>\n" +
                           page.sections + "</main>\n";
  return html_page(name, body, json);
}

}  // namespace vitrine
