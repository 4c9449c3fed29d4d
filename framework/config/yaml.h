#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "framework/config/node.h"

namespace vitrine {

inline constexpr size_t kMaxConfigBytes = size_t{1} << 20;

// Reads one YAML document with the place of every value. yaml-cpp alone takes more than a config
// may hold, so these are refused here, as Error(kUsage) that names the place: more than 1 MiB,
// bytes that are not UTF-8, NUL, a second document, depth above 64, more than 100,000 values
// counting what anchors and aliases repeat, cyclic aliases, duplicate keys, keys that are not plain
// names, merge keys, control characters, tags.
Node parse_yaml(std::string_view text, std::string_view name);
// Reads a regular file. Throws Error(kUsage) for what is none, Error(kFailed) where it cannot be
// read although it is there.
Node read_yaml(const std::filesystem::path& file);
// Reads it, also from a pipe such as /dev/stdin, and from standard input where `file` is "-".
Node read_yaml_or_pipe(const std::filesystem::path& file);

// What messages call a file that a user named: "-" is "stdin".
std::string shown_config(const std::filesystem::path& file);

// Parses, for parse_value, a text without comments and anchors that begins at byte `column` of the
// first line of `source`.
Node parse_yaml_value(std::string_view text, const std::shared_ptr<const Source>& source,
                      size_t column);
// Refuses lines that no config can have: not UTF-8, with NUL or other control characters.
void check_text(const std::shared_ptr<const Source>& source);

}  // namespace vitrine
