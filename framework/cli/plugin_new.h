#pragma once

#include <string_view>
#include <vector>

namespace vitrine {

// A file of docs/kinds/, from which `runner plugin new` makes one: "mlp", "example.cpp".
struct PluginText {
  std::string_view folder, file, text;
};

// All of them; cmake/plugin_templates.cmake packs them into the program.
const std::vector<PluginText>& plugin_texts();

}  // namespace vitrine
