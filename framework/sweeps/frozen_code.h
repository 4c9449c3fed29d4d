#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "framework/config/node.h"

namespace vitrine {

// Copies of this program, its libraries and plug-ins with what these link, so that building anew
// changes nothing under way. libtorch, and what the system has, stay where they are.
class FrozenCode {
 public:
  using Plugins = std::map<std::string, std::string>;  // paths, and those of their copies

  // Copies the program and its libraries. Throws Error(kFailed).
  explicit FrozenCode(std::filesystem::path folder);
  // A folder that has them, and copies of these plug-ins.
  FrozenCode(std::filesystem::path folder, Plugins plugins)
      : folder_(std::move(folder)), plugins_(std::move(plugins)) {}
  // Takes such a folder away, and nothing that somebody else put there. Throws Error.
  static void remove(const std::filesystem::path& folder);
  // Takes away copies of plug-ins that are not among these, and temporaries.
  static void remove_others(const std::filesystem::path& folder, const Plugins& plugins);
  // Copies what `config` names under `plugins`, and lets it name the copies.
  void take_plugins(Node& config);
  const Plugins& plugins() const { return plugins_; }

 private:
  std::filesystem::path folder_;
  Plugins plugins_;
};

// Code that a sweep has in `folder` and runs, of which there may be none any more.
struct CodeOfSweep {
  std::vector<std::filesystem::path> program, plugins;
  bool is_this_program = false;       // byte for byte the one that runs now
  std::vector<std::string> warnings;  // of require_trusted
};
// Throws Error(kPlugin) for what anybody could have written.
CodeOfSweep require_trusted_code(const std::filesystem::path& folder);

}  // namespace vitrine
