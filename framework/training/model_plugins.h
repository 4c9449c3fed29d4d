#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "framework/registry/registry.h"
#include "framework/runs/run_directory.h"

namespace vitrine {

// What a model's file tells of the plug-ins that bring components which `choices` hold, at any
// depth, as [{"name", "path", "sources", "libraries", "components": ["mlp mine"]}]; empty for none.
nlohmann::ordered_json plugins_of(const std::vector<const ChoiceBase*>& choices);

// Throws Error(kCheckpoint) where components that a model's file names so are not there; warns
// where they are of other code. `file` is what messages call it.
void require_plugins(const nlohmann::json& plugins, const std::string& file);

// Warns of each plug-in that is loaded now and was other code when the run was computed.
void warn_of_other_plugins(const RunDirectory& run);

}  // namespace vitrine
