#include "framework/files/folder_digest.h"

#include <fmt/format.h>

#include <map>

#include "framework/files/sha256.h"

namespace vitrine {

namespace fs = std::filesystem;

namespace {

constexpr size_t kMostFiles = 100'000;
constexpr uint64_t kMostBytes = uint64_t{256} << 20;

}  // namespace

std::optional<std::string> folder_digest(const fs::path& folder) {
  std::error_code error;
  std::map<std::string, uint64_t> lengths;
  const auto skip = fs::directory_options::skip_permission_denied;
  fs::recursive_directory_iterator entry(folder, skip, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (!entry->is_regular_file(ignored)) continue;
    lengths[entry->path().lexically_relative(folder).generic_string()] = entry->file_size(ignored);
    if (lengths.size() > kMostFiles) return std::nullopt;
  }
  if (error) return std::nullopt;
  Sha256 hash;
  uint64_t sum = 0;
  for (const auto& [path, length] : lengths) {
    sum += length;
    const std::string content = sum <= kMostBytes ? sha256_of_file(folder / path) : "";
    hash.update(fmt::format("{}:{} {} {}\n", path.size(), path, length, content));
  }
  return hash.hex();
}

}  // namespace vitrine
