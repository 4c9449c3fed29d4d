#pragma once

#include <string>

#include "framework/registry/registry.h"

namespace vitrine {

// What the command line names. Each throws Error(kUsage), with what may be meant, for one that
// there is not.
void require_kind(const std::string& kind);
const Component& find_component(const std::string& kind, const std::string& name);

}  // namespace vitrine
