#pragma once

#include <filesystem>
#include <string_view>

namespace vitrine {

// Whether an error's words are those of a full disk or a used-up quota.
bool tells_of_full_disk(std::string_view error);

// Whether a small file can be written into `folder`: false only where there is no room for it.
bool has_disk_space(const std::filesystem::path& folder);

}  // namespace vitrine
