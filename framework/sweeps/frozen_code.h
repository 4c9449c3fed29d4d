#pragma once

#include <filesystem>
#include <map>

#include "framework/config/node.h"

namespace vitrine {

// Copies of this program, its libraries and plug-ins, so that building anew changes nothing under
// way. libtorch stays where it is.
class FrozenCode {
 public:
  // Copies the program and its libraries. Throws Error(kFailed).
  explicit FrozenCode(std::filesystem::path folder);
  // Copies what `config` names under `plugins`, and lets it name the copies.
  void take_plugins(Node& config);

 private:
  std::filesystem::path folder_;
  std::map<std::string, std::string> plugins_;  // and their copies
};

}  // namespace vitrine
