#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace vitrine {

struct Brackets {
  std::vector<size_t> bare_commas;  // places of those outside all brackets and quotes
  std::vector<size_t> bare_hashes;  // places of "#" outside all quotes
  bool open = false;                // a bracket that the text begins with is not closed
  // Behind the bracket or quote that closes the one that the text begins with.
  std::optional<size_t> end;
};

// Scans the value of an argument, as YAML would read it.
Brackets scan_brackets(std::string_view text);

}  // namespace vitrine
