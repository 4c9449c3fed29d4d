#pragma once

#include <functional>
#include <string>
#include <vector>

#include "framework/reports/report_data.h"

namespace vitrine {

// A report's page while it grows.
struct ReportPage {
  std::string navigation, sections;                                  // as HTML
  nlohmann::ordered_json charts = nlohmann::ordered_json::object();  // specifications by name

  void add(const std::string& id, const std::string& heading, const std::string& content);
  // Adds it with a part for each section of the runs, of which the page shows the chosen one's;
  // nothing where all are empty.
  void add_parts(const std::string& id, const std::string& heading, const ReportData& data,
                 const std::function<std::string(const ReportSection&)>& content_of);
  // The element in which the page's script draws the chart.
  std::string chart(const std::string& name, nlohmann::ordered_json specification);
};

// "<p>" with a remark, which is HTML.
std::string note(const std::string& text);

// Each adds a section, or none where there is nothing to show.
void add_runs(ReportPage& page, const ReportData& data);
void add_unfinished(ReportPage& page, const ReportData& data);
void add_comparison(ReportPage& page, const ReportData& data);
void add_curves(ReportPage& page, const ReportData& data, const nlohmann::ordered_json& curves);
void add_parameters(ReportPage& page, const ReportData& data);
void add_costs(ReportPage& page, const ReportData& data);
void add_pictures(ReportPage& page, const std::vector<std::string>& places);
void add_details(ReportPage& page, const ReportData& data);
void add_shared(ReportPage& page, const ReportData& data);

}  // namespace vitrine
