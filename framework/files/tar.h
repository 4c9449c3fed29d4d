#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vitrine {

struct TarEntry {
  std::string name;
  std::string_view bytes;  // in the archive
};

// The regular files of a tar archive (POSIX ustar). Throws Error(kData), which begins with `name`,
// where it is none, or truncated.
std::vector<TarEntry> parse_tar(std::string_view bytes, std::string_view name);

}  // namespace vitrine
