#include "framework/reports/report_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "framework/comparing/condition.h"
#include "framework/files/html.h"
#include "framework/reports/breakable.h"

namespace vitrine {

namespace {

using Json = nlohmann::ordered_json;
using Kind = ReportColumn::Kind;

std::string heading(const ReportColumn& column) {
  return fmt::format("<th scope=\"col\" data-column=\"{}\"{}><button>{}</button></th>", column.id,
                     column.numeric ? " class=\"number\"" : "", breakable(column.name));
}

std::string cell(const ReportData& data, size_t run, const ReportColumn& column) {
  const std::string value = cell_text(data.value(run, column), column), text = html(value);
  switch (column.kind) {
    case Kind::kLabel:
      return "<th scope=\"row\"><div><i></i><span>" + breakable(value) + "</span></div></th>";
    case Kind::kStatus:
      return fmt::format("<td class=\"status {}\">{}</td>", text, text);
    default:
      return column.numeric ? "<td class=\"number\">" + text + "</td>"
                            : "<td>" + breakable(value) + "</td>";
  }
}

// Whether the cells below the heading are numbers, or empty.
bool is_numeric(const std::vector<std::vector<std::string>>& rows, size_t column) {
  return std::all_of(rows.begin() + 1, rows.end(), [&](const auto& row) {
    return row[column].empty() || std::strchr("0123456789+-[<", row[column][0]);
  });
}

}  // namespace

std::string runs_table(const ReportData& data) {
  const auto is_shown = [](const ReportColumn& column) {
    return column.kind != ReportColumn::Kind::kGroup;
  };
  std::string out = "<table id=\"runs-table\"><thead><tr>";
  for (const ReportColumn& column : data.columns) out += is_shown(column) ? heading(column) : "";
  out += "</tr></thead>\n<tbody>\n";
  for (size_t i = 0; i < data.runs.size(); ++i) {
    out += fmt::format("<tr data-run=\"{}\">", i);
    for (const ReportColumn& column : data.columns) {
      if (is_shown(column)) out += cell(data, i, column);
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table>";
}

std::string text_table(const std::vector<std::vector<std::string>>& rows) {
  std::string out = "<table class=\"text\">";
  for (size_t i = 0; i < rows.size(); ++i) {
    out += i == 0 ? "<thead><tr>" : "<tr>";
    for (size_t j = 0; j < rows[i].size(); ++j) {
      const char* number = is_numeric(rows, j) ? " class=\"number\"" : "";
      if (i == 0) {
        out += fmt::format("<th{}>{}</th>", number, breakable(rows[i][j]));
      } else if (j == 0 && rows[0][0] == "group") {
        out += fmt::format("<th scope=\"row\">{}</th>", breakable(rows[i][j]));
      } else if (j == 0) {  // where rows are cards, each cell tells what it is
        out += fmt::format("<th scope=\"row\"{} data-name=\"{}\">{}</th>", number, html(rows[0][0]),
                           breakable(rows[i][j]));
      } else {
        out += fmt::format("<td{} data-name=\"{}\">{}</td>", number, html(rows[0][j]),
                           breakable(rows[i][j]));
      }
    }
    out += i == 0 ? "</tr></thead>\n" : "</tr>\n";
  }
  return out + "</table>";
}

std::string value_table(const nlohmann::ordered_json& values) {
  std::string out = "<table class=\"values\">";
  for (const auto& [name, value] : values.items()) {
    out += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", breakable(name),
                       html(shown_value(value)));
  }
  return out + "</table>";
}

std::string figures(const ReportData& data, size_t run) {
  std::string out = "<dl class=\"figures\">";
  for (const ReportColumn* column : data.columns_of(Kind::kMetric)) {
    out += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", breakable(column->name),
                       html(cell_text(data.value(run, *column), *column)));
  }
  return out + "</dl>";
}

}  // namespace vitrine
