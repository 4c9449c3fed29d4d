#include "framework/cli/config_or_folder.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "framework/runs/run_directory.h"

namespace vitrine {

ConfigSource config_or_folder(const std::string& place, const std::vector<std::string>& overrides,
                              const std::string& name) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(place, ignored)) return {place, overrides, {}};
  if (holds_run(place)) return {RunDirectory::open(place).config().path(), overrides, {}};
  ConfigSource out;
  out.overrides = {"name=" + name, "dataset.type=folder",
                   "dataset.path=" + nlohmann::json(place).dump(), "model.type=vit",
                   "model.n_patches=1"};
  out.overrides.insert(out.overrides.end(), overrides.begin(), overrides.end());
  return out;
}

}  // namespace vitrine
