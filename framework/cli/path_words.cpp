#include "framework/cli/path_words.h"

#include <algorithm>
#include <filesystem>

#include "framework/files/paths.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

bool is_run_folder(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder / "config.yaml", error) && !fs::exists(folder / "plan.json", error);
}

bool is_offered_file(const fs::path& file, PathKind kind) {
  const std::string end = file.extension().string();
  switch (kind) {
    case PathKind::kAny:
      return true;
    case PathKind::kConfig:
      return end == ".yaml" || end == ".yml";
    case PathKind::kPlugin:
      return end == ".so";
    case PathKind::kRun:
      return false;
  }
  return false;
}

// The folder where such files usually lie.
std::string usual_folder(PathKind kind) {
  return kind == PathKind::kConfig ? "configs" : kind == PathKind::kRun ? "runs" : "";
}

}  // namespace

std::vector<Candidate> path_words(const std::string& begun, PathKind kind) {
  const size_t slash = begun.rfind('/');
  const std::string before = slash == begun.npos ? "" : begun.substr(0, slash + 1);
  const std::string name = begun.substr(before.size());
  const std::string usual = usual_folder(kind);
  std::error_code error;
  const bool only_usual =
      before.empty() && !usual.empty() && usual.starts_with(name) && fs::is_directory(usual, error);
  std::vector<Candidate> out;
  fs::directory_iterator entry(before.empty() ? "." : expand_home(before), error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string found = entry->path().filename().string();
    if (!found.starts_with(name) || (found[0] == '.' && name.empty())) continue;
    std::error_code unknown;
    if (entry->is_directory(unknown)) {
      const bool is_run = kind == PathKind::kRun && is_run_folder(entry->path());
      if (is_run || !only_usual || found == usual)
        out.push_back({before + found + (is_run ? "" : "/"), {}});
    } else if (is_offered_file(entry->path(), kind)) {
      out.push_back({before + found, {}});
    }
  }
  std::sort(out.begin(), out.end(),
            [](const Candidate& a, const Candidate& b) { return a.word < b.word; });
  return out;
}

}  // namespace vitrine
