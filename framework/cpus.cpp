#include "framework/cpus.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

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

// A hierarchy of control groups that counts CPU time, as it is mounted.
struct Hierarchy {
  bool is_v2;
  fs::path group;  // the one that is seen at `mount`, mostly "/"
  fs::path mount;
};

// "36 35 0:30 /group /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct"; optional fields stand
// before the dash.
std::vector<Hierarchy> find_hierarchies(const fs::path& root) {
  std::vector<Hierarchy> out;
  std::ifstream mounts(root / "proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    const auto fields = split(line, ' ');
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() < 6 || fields.end() - dash < 4) continue;
    const bool is_v2 = dash[1] == "cgroup2";
    if (is_v2 || (dash[1] == "cgroup" && has(split(dash[3], ','), "cpu")))
      out.push_back({is_v2, fields[3], fields[4]});
  }
  return out;
}

// The control group of this process in it: "1:cpu,cpuacct:/group", "0::/group" in version 2.
std::optional<fs::path> group_in(const Hierarchy& hierarchy, const fs::path& root) {
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (hierarchy.is_v2 ? controllers.empty() : has(split(controllers, ','), "cpu"))
      return line.substr(second + 1);
  }
  return std::nullopt;
}

// "150000 100000" or "max 100000"; version 1 has a file for each, and -1 for no limit.
std::optional<double> quota_of(const fs::path& folder, bool is_v2) {
  double quota = 0, period = 0;
  if (is_v2) {
    std::ifstream(folder / "cpu.max") >> quota >> period;
  } else {
    std::ifstream(folder / "cpu.cfs_quota_us") >> quota;
    std::ifstream(folder / "cpu.cfs_period_us") >> period;
  }
  return quota > 0 && period > 0 ? std::optional(quota / period) : std::nullopt;
}

int64_t count_cpus() {
  int64_t usable = std::max<int64_t>(std::thread::hardware_concurrency(), 1);
  for (int most = 1024; most <= 1 << 16; most *= 2) {
    cpu_set_t* set = CPU_ALLOC(static_cast<size_t>(most));
    const size_t size = CPU_ALLOC_SIZE(static_cast<size_t>(most));
    const bool fits = set && sched_getaffinity(0, size, set) == 0;
    if (fits) usable = std::max(CPU_COUNT_S(size, set), 1);
    CPU_FREE(set);
    if (fits) break;
  }
  const auto quota = cpu_quota();
  return quota ? std::min(usable, static_cast<int64_t>(std::ceil(*quota))) : usable;
}

// Counted as the program starts: later OpenMP may bind the main thread to one of them.
const int64_t cpus = count_cpus();

}  // namespace

int64_t allowed_cpus() { return cpus; }

std::optional<double> cpu_quota(const fs::path& root) {
  std::optional<double> out;
  for (const Hierarchy& hierarchy : find_hierarchies(root)) {
    const auto group = group_in(hierarchy, root);
    if (!group) continue;
    // What lies outside of the mount, as in a container, is seen as the mount itself.
    const fs::path below = group->lexically_relative(hierarchy.group);
    fs::path folder = root / hierarchy.mount.relative_path();
    const auto take = [&] {
      if (const auto quota = quota_of(folder, hierarchy.is_v2))
        out = std::min(out.value_or(*quota), *quota);
    };
    take();
    if (below.empty() || *below.begin() == "..") continue;
    for (const fs::path& name : below) {
      folder /= name;
      take();
    }
  }
  return out;
}

}  // namespace vitrine
