#pragma once

#include <filesystem>
#include <string>

namespace vitrine {

// Whether code in `file` may be run: who could have put it there? Throws Error(kPlugin), which
// begins with `what`, where everyone can write the file, or a folder on the way to it that lacks
// the sticky bit. Returns a line of warning where the group can that owns it and is not that of the
// user; else an empty one.
std::string require_trusted(const std::filesystem::path& file, const std::string& what);

}  // namespace vitrine
