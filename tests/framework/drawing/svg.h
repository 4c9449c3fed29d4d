#pragma once

#include <string>
#include <utility>
#include <vector>

namespace vitrine {

// What a reader sees written in an SVG, in the order of its text elements.
inline std::vector<std::string> svg_texts(const std::string& svg) {
  std::vector<std::string> out;
  for (size_t at = svg.find("<text "); at != svg.npos; at = svg.find("<text ", at + 1)) {
    const size_t begin = svg.find('>', at) + 1;
    std::string text = svg.substr(begin, svg.find("</text>", begin) - begin);
    for (const auto& [code, sign] :
         {std::pair("&lt;", "<"), std::pair("&gt;", ">"), std::pair("&quot;", "\""),
          std::pair("&#39;", "'"), std::pair("&amp;", "&")}) {
      for (size_t i = text.find(code); i != text.npos; i = text.find(code, i + 1))
        text.replace(i, std::string(code).size(), sign);
    }
    out.push_back(std::move(text));
  }
  return out;
}

}  // namespace vitrine
