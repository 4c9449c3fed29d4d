#pragma once

#include <string>
#include <string_view>

#include "framework/images/image.h"

namespace vitrine {

// kQuick: in a fraction of the time, in a larger file.
enum class PngEffort { kQuick, kFull };

// Throws Error(kFailed) when the image's sizes do not fit its pixels.
std::string encode_png(const Image& image, PngEffort effort = PngEffort::kFull);

// The image of what that wrote, for programs that load no library to read others: decode_image
// reads any. Throws Error(kData), which begins with `name`.
Image decode_encoded(std::string_view png, std::string_view name);

}  // namespace vitrine
