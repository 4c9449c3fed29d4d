#pragma once

#include "framework/images/image.h"

namespace vitrine {

// The pixels as tensors hold them: [C, H, W]. `out` has room for all of them.
void write_planes(const Image& image, uint8_t* out);
// The image of such pixels.
Image image_of(const uint8_t* planes, int64_t channels, int64_t height, int64_t width);

}  // namespace vitrine
