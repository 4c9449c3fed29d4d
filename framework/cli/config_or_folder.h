#pragma once

#include <string>
#include <vector>

#include "framework/config/load.h"

namespace vitrine {

// What is asked of data alone: a config, a run's folder, which has one, or a folder of images, as
// the data set folder takes it. Of the latter what the model is does not matter, so it is one that
// fits any images.
ConfigSource config_or_folder(const std::string& place, const std::vector<std::string>& overrides,
                              const std::string& name);

}  // namespace vitrine
