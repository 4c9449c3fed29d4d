#include "framework/cpus.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <thread>

#include "framework/control_groups.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

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
  for (const ControlGroup& group : control_groups("cpu", root)) {
    if (const auto quota = quota_of(group.folder, group.is_v2))
      out = std::min(out.value_or(*quota), *quota);
  }
  return out;
}

}  // namespace vitrine
