#include "framework/reports/page.h"

#include <fmt/format.h>

#include "framework/files/html.h"

namespace vitrine {

std::string_view page_style();
std::string_view page_vega();
std::string_view page_script();
std::string_view page_charts();  // {"curves": {...}, ...}, packed

nlohmann::ordered_json page_chart(std::string_view name) {
  static const auto charts = nlohmann::ordered_json::parse(page_charts());
  return charts.at(std::string(name));
}

std::string html_page(const std::string& title, const std::string& body,
                      const nlohmann::ordered_json& data, int64_t refresh) {
  const std::string again =
      refresh == 0 ? "" : fmt::format("<meta http-equiv=\"refresh\" content=\"{}\">\n", refresh);
  return fmt::format(
             "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src "
             "data:; style-src '{}'; script-src '{}' '{}'; base-uri 'none'; form-action 'none'\">\n"
             "{}<meta name=\"viewport\" content=\"width=device-width\">\n"
             "<meta name=\"color-scheme\" content=\"light dark\">\n"
             "<title>{} · Vitrine</title>\n<style>{}</style>\n</head>\n",
             content_hash(page_style()), content_hash(page_vega()), content_hash(page_script()),
             again, html(title), page_style()) +
         "<body>\n" + body + "<div id=\"tip\" role=\"tooltip\" hidden></div>\n" +
         "<script type=\"application/json\" id=\"data\">" + script_json(data) + "</script>\n" +
         "<script>" + std::string(page_vega()) + "</script>\n<script>" +
         std::string(page_script()) + "</script>\n</body>\n</html>\n";
}

}  // namespace vitrine
