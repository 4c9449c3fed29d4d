#pragma once

#include <string_view>
#include <vector>

namespace vitrine {

struct Brackets {
  std::vector<size_t> bare_commas;  // places of those outside all brackets and quotes
  bool open = false;                // a bracket that the text begins with is not closed
};

// Of the value of an argument, as YAML would read it.
Brackets scan_brackets(std::string_view text);

}  // namespace vitrine
