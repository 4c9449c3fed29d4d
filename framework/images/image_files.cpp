#include "framework/images/image_files.h"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <filesystem>

#include "framework/error.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

bool is_named_as_image(const fs::path& path) {
  std::string end = path.extension().string();
  for (char& letter : end) letter = letter >= 'A' && letter <= 'Z' ? char(letter + 32) : letter;
  return end == ".jpg" || end == ".jpeg" || end == ".png" || end == ".webp";
}

std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> out;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error), end;
  for (; !error && entry != end; entry.increment(error)) {
    std::error_code unknown;
    const bool is_hidden = entry->path().filename().string().starts_with('.');
    if (is_hidden && entry->is_directory(unknown)) entry.disable_recursion_pending();
    if (!is_hidden && is_named_as_image(entry->path()) && entry->is_regular_file(unknown))
      out.push_back(entry->path().string());
  }
  if (error)
    throw Error(ExitCode::kData,
                fmt::format("cannot read {}: {}", escape(folder), error.message()));
  if (out.empty())
    refuse_data(folder, "a folder without images: no .jpg, .jpeg, .png or .webp is in it or below");
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> files_of_pattern(const std::string& pattern) {
  glob_t found = {};
  glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found);
  std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc), out;
  globfree(&found);
  if (paths.empty()) refuse_data(pattern, "no file has such a name");
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) {
    const auto files = fs::is_directory(path) ? files_below(path) : std::vector{path};
    out.insert(out.end(), files.begin(), files.end());
  }
  return out;
}

}  // namespace

std::vector<std::string> image_files(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return files_below(path);
  const bool is_pattern = path.find_first_of("*?[") != std::string::npos;
  if (is_pattern && !fs::exists(path, error)) return files_of_pattern(path);
  return {path};
}

}  // namespace vitrine
