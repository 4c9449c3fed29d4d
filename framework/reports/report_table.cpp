#include "framework/reports/report_table.h"

#include <fmt/format.h>

#include "framework/reports/html.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;
using Role = ReportColumn::Role;

std::string heading(const ReportColumn& column) {
  return fmt::format("<th scope=\"col\" data-column=\"{}\"{}><button>{}</button></th>", column.id,
                     column.numeric ? " class=\"number\"" : "", html(column.name));
}

std::string cell(const ReportData& data, size_t run, const ReportColumn& column) {
  const std::string text = html(cell_text(data.value(run, column), column.info));
  switch (column.role) {
    case Role::kLabel:
      return "<th scope=\"row\"><i></i>" + text + "</th>";
    case Role::kStatus:
      return fmt::format("<td class=\"status {}\">{}</td>", text, text);
    default:
      return (column.numeric ? "<td class=\"number\">" : "<td>") + text + "</td>";
  }
}

}  // namespace

std::string runs_table(const ReportData& data) {
  std::string out = "<table id=\"runs-table\"><thead><tr>";
  for (const ReportColumn& column : data.columns) out += heading(column);
  out += "</tr></thead>\n<tbody>\n";
  for (size_t i = 0; i < data.runs.size(); ++i) {
    out += fmt::format("<tr data-run=\"{}\">", i);
    for (const ReportColumn& column : data.columns) out += cell(data, i, column);
    out += "</tr>\n";
  }
  return out + "</tbody></table>";
}

std::string value_table(const nlohmann::ordered_json& values) {
  std::string out = "<table class=\"values\">";
  for (const auto& [name, value] : values.items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    out += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>", html(name), html(text));
  }
  return out + "</table>";
}

}  // namespace vitrine
