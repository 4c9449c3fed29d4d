#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace vitrine {

// A SHA-256 of what lies in a folder: of each file below it, in the order of their paths, the path,
// the length and the content; of content the first 256 MiB count, and a file that goes beyond them
// by its length alone. None where it is no folder or holds more than 100,000 files. Throws
// Error(kData) for a file that cannot be read.
std::optional<std::string> folder_digest(const std::filesystem::path& folder);

}  // namespace vitrine
