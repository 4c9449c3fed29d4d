#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

// What is in every report's page: the files of page/, and Vega; cmake/report_page.cmake packs them.
namespace vitrine {

// A page of its own that asks nothing of any network: its Content-Security-Policy allows nothing
// but what is in it. `body`: what comes before the scripts; `data`: what the page's script takes.
// A browser reads it again every `refresh` seconds, where these are not 0.
std::string html_page(const std::string& title, const std::string& body,
                      const nlohmann::ordered_json& data, int64_t refresh = 0);

// The specification page/<name>.json.
nlohmann::ordered_json page_chart(std::string_view name);

}  // namespace vitrine
