#pragma once

#include <filesystem>
#include <map>

#include "framework/config/node.h"

namespace vitrine {

// Copies of this program, its libraries and plug-ins, so that building anew changes nothing under
// way. libtorch stays where it is.
class FrozenCode {
 public:
  using Plugins = std::map<std::string, std::string>;  // paths, and those of their copies

  // Copies the program and its libraries. Throws Error(kFailed).
  explicit FrozenCode(std::filesystem::path folder);
  // A folder that has them, and copies of these plug-ins.
  FrozenCode(std::filesystem::path folder, Plugins plugins)
      : folder_(std::move(folder)), plugins_(std::move(plugins)) {}
  // Copies what `config` names under `plugins`, and lets it name the copies.
  void take_plugins(Node& config);
  const Plugins& plugins() const { return plugins_; }

 private:
  std::filesystem::path folder_;
  Plugins plugins_;
};

}  // namespace vitrine
