#include "framework/registry/trust.h"

#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "framework/error.h"

namespace fs = std::filesystem;

namespace vitrine {
namespace {

// The file and the folders above it, as it was named and where links lead: whoever can change one
// of them decides what is run.
std::vector<fs::path> on_the_way_to(const fs::path& file) {
  std::error_code error;
  std::vector<fs::path> out;
  const fs::path named = fs::absolute(file, error).lexically_normal();
  for (fs::path path : {fs::weakly_canonical(named, error), named}) {
    for (;; path = path.parent_path()) {
      out.push_back(path);
      if (!path.has_relative_path()) break;
    }
  }
  return out;
}

std::string group_name(gid_t group) {
  const ::group* entry = getgrgid(group);
  return entry ? entry->gr_name : std::to_string(group);
}

}  // namespace

std::string require_trusted(const fs::path& file, const std::string& what) {
  std::string warning;
  for (const fs::path& path : on_the_way_to(file)) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) continue;  // whoever opens it says so
    const bool is_folder = S_ISDIR(status.st_mode);
    // In a folder such as /tmp everyone may make files, but change only their own.
    if (is_folder && (status.st_mode & S_ISVTX)) continue;
    const std::string name = escape(path.string());
    if (status.st_mode & S_IWOTH) {
      throw Error(ExitCode::kPlugin,
                  fmt::format("{}: everyone can write {}, so its code may be anybody's; chmod o-w "
                              "{} if you trust what is there",
                              what, is_folder ? "the folder " + name : "it", name));
    }
    const bool is_foreign = status.st_gid != getegid() && status.st_gid != 0;
    if ((status.st_mode & S_IWGRP) && is_foreign && warning.empty()) {
      warning =
          fmt::format("{}: the group {} can write {}", what, escape(group_name(status.st_gid)),
                      is_folder ? "the folder " + name : "it");
    }
  }
  return warning;
}

}  // namespace vitrine
