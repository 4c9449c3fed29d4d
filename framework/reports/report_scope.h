#pragma once

#include <string>
#include <vector>

#include "framework/reports/report_data.h"

// What a section's runs have of all that a page knows.
namespace vitrine {

// Sets the sections of the data's runs, and what these say of each run.
void set_sections(ReportData& data);

// The column with the values of the section's runs alone.
ReportColumn within(const ReportData& data, const ReportColumn& column,
                    const ReportSection& section);

// The section's parameters of several values, those that part its groups most first.
std::vector<ReportColumn> parameters_of(const ReportData& data, const ReportSection& section);

// How many of these, from the first on, a page shows unasked.
constexpr size_t kMainParameters = 4;

// The metric that a page shows first of the section; none without any.
const ReportColumn* first_metric(const ReportData& data, const ReportSection& section);

// What parts its runs by colours at first: names, groups or a parameter; none where nothing does.
const ReportColumn* first_colour(const ReportData& data, const ReportSection& section);

// Ids of the columns that the table shows at first: all of them where these are few.
std::vector<std::string> shown_columns(const ReportData& data, const ReportSection& section);

}  // namespace vitrine
