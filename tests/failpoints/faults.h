#pragma once

#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "tests/failpoints/failpoints.h"

// Which faults tests try, and what none of them may leave.
namespace vitrine::failpoints {

struct Fault {
  const char* name;
  Mode mode;
  int code;
};
inline constexpr Fault kFaults[] = {{"ENOSPC once", Mode::kError, ENOSPC},
                                    {"EIO for ever", Mode::kErrors, EIO},
                                    {"killed before", Mode::kKill, 0},
                                    {"killed within", Mode::kPart, 0}};

// Every how manieth fault is tried.
inline int64_t stride(int64_t usual = 7) {
  const char* given = std::getenv("VITRINE_TEST_STRIDE");
  return given ? std::max<int64_t>(std::atoll(given), 1) : usual;
}

// For scripts/failpoints.sh, which adds them up.
inline void tell_tried(int64_t faults) { std::cout << faults << " faults tried\n"; }

// Has temporary folders lie in memory, where programs may be started there: a disk takes its time
// for each of some thousand files that are synced.
inline void use_memory_for_folders() {
  struct statvfs status {};
  const bool serves = statvfs("/dev/shm", &status) == 0 && (status.f_flag & ST_NOEXEC) == 0 &&
                      access("/dev/shm", W_OK) == 0;
  if (serves) setenv("TMPDIR", "/dev/shm", 1);
}

// Names of temporaries, and of what was staged, below a folder.
inline std::vector<std::string> temporaries_in(const std::filesystem::path& folder) {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (name.ends_with(".part") || name.ends_with(".next")) out.push_back(name);
  }
  return out;
}

}  // namespace vitrine::failpoints
