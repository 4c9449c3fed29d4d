#include "framework/control_groups.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>

namespace vitrine {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> out;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, separator);) out.push_back(part);
  return out;
}

bool has(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// A hierarchy of control groups as it is mounted.
struct Hierarchy {
  bool is_v2;
  fs::path group;  // the one that is seen at `mount`, mostly "/"
  fs::path mount;
};

// "36 35 0:30 /group /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct"; optional fields stand
// before the dash.
std::vector<Hierarchy> find_hierarchies(const std::string& controller, const fs::path& root) {
  std::vector<Hierarchy> out;
  std::ifstream mounts(root / "proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    const auto fields = split(line, ' ');
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() < 6 || fields.end() - dash < 4) continue;
    const bool is_v2 = dash[1] == "cgroup2";
    if (is_v2 || (dash[1] == "cgroup" && has(split(dash[3], ','), controller)))
      out.push_back({is_v2, fields[3], fields[4]});
  }
  return out;
}

// The control group of this process in it: "1:cpu,cpuacct:/group", "0::/group" in version 2.
std::optional<fs::path> group_in(const Hierarchy& hierarchy, const std::string& controller,
                                 const fs::path& root) {
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (hierarchy.is_v2 ? controllers.empty() : has(split(controllers, ','), controller))
      return line.substr(second + 1);
  }
  return std::nullopt;
}

}  // namespace

std::vector<ControlGroup> control_groups(const std::string& controller, const fs::path& root) {
  std::vector<ControlGroup> out;
  for (const Hierarchy& hierarchy : find_hierarchies(controller, root)) {
    const auto group = group_in(hierarchy, controller, root);
    if (!group) continue;
    // What lies outside of the mount, as in a container, is seen as the mount itself.
    const fs::path below = group->lexically_relative(hierarchy.group);
    fs::path folder = root / hierarchy.mount.relative_path();
    out.push_back({folder, hierarchy.is_v2});
    if (below.empty() || *below.begin() == "..") continue;
    for (const fs::path& name : below) {
      folder /= name;
      out.push_back({folder, hierarchy.is_v2});
    }
  }
  return out;
}

}  // namespace vitrine
