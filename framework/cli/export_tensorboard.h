#pragma once

#include <string>
#include <vector>

#include "framework/error.h"

namespace vitrine {

// Writes event files of the runs in these places into `folder`, which must hold nothing: of one run
// into it, of several each into a folder of its own. Throws Error.
ExitCode export_to_tensorboard(const std::vector<std::string>& places, const std::string& folder);

}  // namespace vitrine
