#include "framework/files/paths.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

#include "framework/error.h"

namespace vitrine {
namespace {

std::string home_of(const std::string& account) {
  const char* home = account.empty() ? std::getenv("HOME") : nullptr;
  if (home && *home) return home;
  const passwd* entry = account.empty() ? getpwuid(getuid()) : getpwnam(account.c_str());
  return entry && entry->pw_dir ? entry->pw_dir : "";
}

}  // namespace

std::string expand_home(const std::string& path) {
  if (!path.starts_with('~')) return path;
  const size_t slash = std::min(path.find('/'), path.size());
  const std::string account = path.substr(1, slash - 1), home = home_of(account);
  if (!home.empty()) return home + path.substr(slash);
  if (!account.empty()) return path;  // as shells do
  throw Error(ExitCode::kUsage, escape(path) + ": there is no home folder (HOME is not set)");
}

std::filesystem::path cache_folder(const std::string& name) {
  const char *cache = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
  if (cache && *cache) return std::filesystem::path(cache) / "vitrine" / name;
  return home && *home ? std::filesystem::path(home) / ".cache" / "vitrine" / name
                       : std::filesystem::path();
}

std::filesystem::path from_here(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::path out = std::filesystem::proximate(path, error);
  return error ? path : out;
}

std::string counted_from_here(const std::filesystem::path& path) {
  if (path.is_absolute()) return "";
  std::error_code error;
  const auto whole = std::filesystem::absolute(path, error).lexically_normal();
  return error
             ? ""
             : " (" + escape(whole.string()) + ": a relative path counts from the current folder)";
}

}  // namespace vitrine
