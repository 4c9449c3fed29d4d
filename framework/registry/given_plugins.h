#pragma once

#include <string>
#include <vector>

#include "framework/config/node.h"

namespace vitrine {

// The paths of plug-ins that the command line names (--plugin). They are loaded beside those of a
// config, or in the place of one that is gone, or has the same name.
std::vector<std::string>& given_plugins();

// Throws Error(kPlugin).
void load_given_plugins();

// Loads the plug-ins that a config names and those that the command line names: their absolute
// paths, each once. "~" is the home folder. Throws Error(kPlugin).
std::vector<std::string> load_plugins(const std::vector<std::string>& named);

// Where the command line's stand, for messages and origins of values.
Location place_of_given_plugins();

}  // namespace vitrine
