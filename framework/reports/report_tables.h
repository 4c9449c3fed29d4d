#pragma once

#include <string>
#include <vector>

#include "framework/reports/report_data.h"

// Tables of a report's page, as HTML.
namespace vitrine {

// All runs, a row each; the page's script sorts and hides rows.
std::string runs_table(const ReportData& data);

// Rows of text, the heading first; columns of numbers are aligned as such.
std::string text_table(const std::vector<std::vector<std::string>>& rows);

// Rows of a name and a value.
std::string value_table(const nlohmann::ordered_json& values);

// What one run reached, as figures beside each other.
std::string figures(const ReportData& data, size_t run);

}  // namespace vitrine
