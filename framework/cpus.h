#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace vitrine {

// How many CPUs this process may keep busy: those that it may run on (taskset, cpusets), and no
// more than the quota of its control groups comes to, rounded up; at least 1.
int64_t allowed_cpus();

// The smallest quota, in CPUs, of the control groups that this process is in and of those above
// them, of version 1 or 2; none where there is no limit. Paths are looked up below `root`.
std::optional<double> cpu_quota(const std::filesystem::path& root = "/");

}  // namespace vitrine
