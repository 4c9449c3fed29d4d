#pragma once

#include <filesystem>
#include <string>

#include "framework/config/node.h"

// What the files of Sweep share.
namespace vitrine {

// Six digits that nobody else has.
std::string random_id();

// A file that is in a sweep's folder while trials are made: from before the first until after the
// plan.
inline constexpr const char* kMaking = ".making";

// The value without places, and without how it was written.
Node plain(const Node& value);

}  // namespace vitrine
