#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "framework/config/node.h"

namespace vitrine {

// Reads one YAML document with the place of every value. yaml-cpp alone takes more than a config
// may hold, so these are refused here, as Error(kUsage) that names the place: more than 1 MiB,
// bytes that are not UTF-8, NUL, a second document, depth above 64, more than 100,000 values
// counting what anchors and aliases repeat, cyclic aliases, duplicate keys, keys that are not plain
// names, merge keys, control characters, tags.
Node parse_yaml(std::string_view text, std::string_view name);
// The same for a text that begins at byte `column` of the first line of `source`.
Node parse_yaml(std::string_view text, std::shared_ptr<const Source> source, size_t column);
Node read_yaml(const std::filesystem::path& file);

}  // namespace vitrine
