#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "framework/sweeps/spec.h"

namespace vitrine {

// The values of `config` that are not those of `base`, by their paths: {"optimizer.lr": 0.01}.
nlohmann::ordered_json differences(const Node& base, const Node& config);
Node with_differences(Node base, const nlohmann::ordered_json& differences);

// A value as a file has it, in which texts may refer to other keys, and a literal "${" is "$${".
nlohmann::ordered_json frozen(const Node& value);
// What is read of it.
Node thawed(const nlohmann::ordered_json& value);

// A config as it was written, with the places of its values. What was written beside no `type` is
// kept apart: it holds only if that type is the default.
nlohmann::ordered_json frozen_json(const BaseConfig& config);
// Throws Error(kData), which begins with `where`.
BaseConfig thawed_config(const nlohmann::ordered_json& value, const std::string& where);

}  // namespace vitrine
