#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vitrine {

// Whether `bytes` begins as bzip2 files do: "BZh".
bool is_bzip2(std::string_view bytes);

// Decompresses all streams of a bzip2 file. Throws Error(kData), which begins with `name`, when the
// data is corrupt, truncated, followed by other bytes, or grows beyond `limit` bytes (it stops
// there).
std::string bunzip2(std::string_view bytes, uint64_t limit, std::string_view name);

}  // namespace vitrine
