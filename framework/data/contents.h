#pragma once

#include <functional>

#include "framework/data/dataset.h"

namespace vitrine {

// Told how many images have been read so far, each time that there are more; what it throws ends
// the reading.
using ImagesRead = std::function<void(int64_t images)>;

// contents_fingerprint of dataset.h, told of as it goes on: of many images it takes long.
std::string contents_fingerprint(const Split& train, const Split& test,
                                 const std::optional<Split>& validation, const ImagesRead& tell);

}  // namespace vitrine
