#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

// What is in every report's page: the files of page/, and Vega; cmake/report_page.cmake packs them.
namespace vitrine {

std::string_view page_style();
std::string_view page_vega();
std::string_view page_script();

// The specification page/<name>.json.
nlohmann::ordered_json page_chart(std::string_view name);

}  // namespace vitrine
