#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <vector>

namespace vitrine {

// What a search for runs did not look into.
struct PassedOver {
  struct Folder {
    std::filesystem::path path;
    std::error_code reason;
  };

  std::vector<std::filesystem::path> links;  // to folders, or to nothing that is there
  std::vector<Folder> unreadable;            // in the order in which they were met

  bool empty() const { return links.empty() && unreadable.empty(); }
  // Whether a folder is unreadable for another reason than missing permission, such as EIO.
  bool has_failed() const;
  void add(const PassedOver& other);
  // "2 links and 1 unreadable folder passed over: runs/a (Permission denied)"; empty for nothing.
  std::string text() const;
  nlohmann::ordered_json json() const;  // {"links": [...], "unreadable": [{"folder", "reason"}]}
};

struct FoundRuns {
  std::vector<std::filesystem::path> runs;  // sorted
  PassedOver passed_over;
};

// All runs at or below `folder`. Links are not followed, and told unless they are the program's own
// (`latest`, a sweep's `best`); hidden folders are left out. A folder that cannot be read hides no
// other and is told.
FoundRuns find_runs(const std::filesystem::path& folder);

}  // namespace vitrine
