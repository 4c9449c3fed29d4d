#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vitrine {

// Whether `bytes` begins with gzip's two magic bytes.
bool is_gzip(std::string_view bytes);

// Inflates all members of a gzip file (RFC 1952). Throws Error(kData), which begins with `name`,
// when the data is corrupt, truncated, followed by other bytes than zeros, or inflates to more than
// `limit` bytes (it stops there: gzip grows up to 1030:1).
std::string gunzip(std::string_view bytes, uint64_t limit, std::string_view name);

// One gzip member without time or file name, so the same bytes give the same file.
std::string gzip(std::string_view bytes);

}  // namespace vitrine
