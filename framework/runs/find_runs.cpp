#include "framework/runs/find_runs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "framework/error.h"
#include "framework/files/place.h"

namespace fs = std::filesystem;

namespace vitrine {
namespace {

std::string counted(size_t count, const std::string& what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// `latest` beside the runs of a name and a sweep's `best` lead to a folder at or below their own.
bool is_own_link(const fs::path& link) {
  const std::string name = link.filename().string();
  if (name != "latest" && name != "best") return false;
  std::error_code error;
  const fs::path target = fs::read_symlink(link, error);
  return !error && target.is_relative() &&
         std::none_of(target.begin(), target.end(), [](auto& part) { return part == ".."; });
}

// Links to files hold no runs; where one leads that leads nowhere nobody knows.
bool may_hold_runs(const fs::path& link) {
  struct stat status {};
  return stat(link.c_str(), &status) != 0 || S_ISDIR(status.st_mode);
}

class Search {
 public:
  explicit Search(FoundRuns& found) : found_(found) {}

  void look_at(const fs::path& folder) {
    const bool is_run = holds_run(folder);
    if (is_run) found_.runs.push_back(folder);
    if (is_run || is_unreadable(folder)) return;
    std::error_code error;
    std::vector<fs::directory_entry> entries;
    fs::directory_iterator entry(folder, error);
    for (const fs::directory_iterator end; !error && entry != end; entry.increment(error))
      entries.push_back(*entry);
    // A comparison of whole paths would take them apart.
    std::sort(entries.begin(), entries.end(),
              [](const auto& a, const auto& b) { return a.path().native() < b.path().native(); });
    for (const fs::directory_entry& one : entries) look_at(one);
    if (error && !is_missing(error.value())) pass_over(folder, error.value());
  }

 private:
  void look_at(const fs::directory_entry& entry) {
    std::error_code error;
    const bool is_link = entry.is_symlink(error);  // what the folder tells of it is asked first
    if (error && !is_missing(error.value())) return pass_over(entry.path(), error.value());
    const bool is_hidden = entry.path().filename().string().starts_with('.');
    if (is_link) {
      if (!is_hidden && !is_own_link(entry.path()) && may_hold_runs(entry.path()))
        found_.passed_over.links.push_back(entry.path());
    } else if (!is_hidden && entry.is_directory(error)) {
      look_at(entry.path());
    }
  }

  bool holds_run(const fs::path& folder) {
    for (const char* name : {"config.yaml", "metrics.json", "checkpoints"}) {
      struct stat status {};
      if (stat((folder / name).c_str(), &status) == 0) return true;
      if (is_missing(errno)) continue;
      pass_over(folder, errno);
      return false;
    }
    return false;
  }

  bool is_unreadable(const fs::path& folder) const {
    const auto& all = found_.passed_over.unreadable;
    return !all.empty() && all.back().path == folder;
  }

  void pass_over(const fs::path& folder, int reason) {
    found_.passed_over.unreadable.push_back({folder, {reason, std::generic_category()}});
  }

  FoundRuns& found_;
};

}  // namespace

bool PassedOver::has_failed() const {
  return std::any_of(unreadable.begin(), unreadable.end(), [](const Folder& folder) {
    return folder.reason != std::errc::permission_denied &&
           folder.reason != std::errc::operation_not_permitted;
  });
}

void PassedOver::add(const PassedOver& other) {
  links.insert(links.end(), other.links.begin(), other.links.end());
  unreadable.insert(unreadable.end(), other.unreadable.begin(), other.unreadable.end());
}

std::string PassedOver::text() const {
  constexpr size_t kMostNamed = 5;
  std::vector<std::string> counts, names;
  if (!links.empty()) counts.push_back(counted(links.size(), "link"));
  if (!unreadable.empty()) counts.push_back(counted(unreadable.size(), "unreadable folder"));
  for (const Folder& folder : unreadable) {
    if (names.size() == kMostNamed) {
      names.emplace_back("...");
      break;
    }
    names.push_back(fmt::format("{} ({})", escape(folder.path.string()), folder.reason.message()));
  }
  if (counts.empty()) return "";
  return fmt::format("{} passed over{}{}", fmt::join(counts, " and "), names.empty() ? "" : ": ",
                     fmt::join(names, ", "));
}

nlohmann::ordered_json PassedOver::json() const {
  using Json = nlohmann::ordered_json;
  Json out = {{"links", Json::array()}, {"unreadable", Json::array()}};
  for (const fs::path& link : links) out["links"].push_back(link.string());
  for (const Folder& folder : unreadable)
    out["unreadable"].push_back(
        {{"folder", folder.path.string()}, {"reason", folder.reason.message()}});
  return out;
}

FoundRuns find_runs(const fs::path& folder) {
  FoundRuns out;
  Search(out).look_at(folder);
  return out;
}

}  // namespace vitrine
