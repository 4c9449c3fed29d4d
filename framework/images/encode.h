#pragma once

#include <string>

#include "framework/images/image.h"

namespace vitrine {

// Throws Error(kFailed) when the image's sizes do not fit its pixels.
std::string encode_png(const Image& image);

}  // namespace vitrine
