#pragma once

#include <string>
#include <vector>

#include "framework/config/node.h"

namespace vitrine {

// A config, or a part of one, that chooses a component.
struct Placement {
  Node config;
  std::string key;  // where it does: "model.mlp of vit"
};

// The shortest ways in which a config can choose `component` (its name, or a mapping with a type),
// for a key that takes its kind. What `base` chooses stays.
std::vector<Placement> placements(const std::string& kind, const Node& component, const Node& base);

}  // namespace vitrine
