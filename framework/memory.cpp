#include "framework/memory.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include "framework/control_groups.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

uint64_t left(uint64_t limit, uint64_t used) { return limit > used ? limit - used : 0; }

// "MemAvailable:   24000000 kB"
uint64_t of_system(const fs::path& root) {
  std::ifstream in(root / "proc/meminfo");
  for (std::string name, unit; in >> name;) {
    uint64_t number = 0;
    if (name == "MemAvailable:" && in >> number) return number << 10;
    std::getline(in, unit);
  }
  return kNoLimit;
}

// A number; "max" is none, and no file no limit.
uint64_t number_in(const fs::path& file) {
  uint64_t out = 0;
  return std::ifstream(file) >> out ? out : kNoLimit;
}

// Pages of files count as used and are given back when they are needed.
uint64_t pages_of_files(const fs::path& folder) {
  std::ifstream in(folder / "memory.stat");
  uint64_t number = 0;
  for (std::string name; in >> name >> number;) {
    if (name == "inactive_file") return number;
  }
  return 0;
}

uint64_t of_group(const ControlGroup& group) {
  const char* limit = group.is_v2 ? "memory.max" : "memory.limit_in_bytes";
  const char* usage = group.is_v2 ? "memory.current" : "memory.usage_in_bytes";
  const uint64_t most = number_in(group.folder / limit), used = number_in(group.folder / usage);
  if (most == kNoLimit || used == kNoLimit) return kNoLimit;
  return left(most, left(used, pages_of_files(group.folder)));
}

uint64_t of_addresses(const fs::path& root) {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kNoLimit;
  const uint64_t pages = number_in(root / "proc/self/statm");
  return pages == kNoLimit ? limit.rlim_cur
                           : left(limit.rlim_cur, pages * static_cast<uint64_t>(getpagesize()));
}

}  // namespace

uint64_t available_memory(const fs::path& root) {
  uint64_t out = std::min(of_system(root), of_addresses(root));
  for (const ControlGroup& group : control_groups("memory", root))
    out = std::min(out, of_group(group));
  return out;
}

void use_huge_pages([[maybe_unused]] void* start, [[maybe_unused]] size_t bytes) {
#ifdef MADV_HUGEPAGE
  constexpr uintptr_t kHuge = uintptr_t{1} << 21;
  const auto address = reinterpret_cast<uintptr_t>(start);
  const uintptr_t begin = (address + kHuge - 1) / kHuge * kHuge;
  const uintptr_t end = (address + bytes) / kHuge * kHuge;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#endif
}

}  // namespace vitrine
