#include "framework/reports/page.h"

namespace vitrine {

std::string_view page_charts();  // {"curves": {...}, ...}, packed

nlohmann::ordered_json page_chart(std::string_view name) {
  static const auto charts = nlohmann::ordered_json::parse(page_charts());
  return charts.at(std::string(name));
}

}  // namespace vitrine
