#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vitrine {

// A folder that tells what one of the control groups allows that this process is in.
struct ControlGroup {
  std::filesystem::path folder;
  bool is_v2 = false;  // of the interface of version 2, else of version 1
};

// The groups of a controller ("cpu", "memory") that this process is in, and those above them. Paths
// are looked up below `root`.
std::vector<ControlGroup> control_groups(const std::string& controller,
                                         const std::filesystem::path& root = "/");

}  // namespace vitrine
