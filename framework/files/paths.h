#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace vitrine {

// A path as people write it: "~" and what begins with "~/" lie in the home folder ($HOME, else that
// of the user's account), "~name/..." in that of an account of this name. Other paths stay as they
// are; a file that is itself called "~" is "./~".
std::string expand_home(const std::string& path);

// The folder `name` of this program in the user's cache, which may not be there yet; empty where
// the environment names no cache.
std::filesystem::path cache_folder(const std::string& name);

// A path as messages show it: relative to the current folder, unless that cannot be told.
std::filesystem::path from_here(const std::filesystem::path& path);

// The rule that a relative path was counted by, for a message that it is not there:
// " (/home/me/a.yaml: a relative path counts from the current folder)"; empty for an absolute path.
std::string counted_from_here(const std::filesystem::path& path);

}  // namespace vitrine
