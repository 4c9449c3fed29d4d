#pragma once

#include <string>

#include "framework/reports/report_data.h"

// Parts of a report's page as HTML.
namespace vitrine {

// All runs, a row each; the page's script sorts and hides rows.
std::string runs_table(const ReportData& data);

// Rows of a name and a value.
std::string value_table(const nlohmann::ordered_json& values);

}  // namespace vitrine
