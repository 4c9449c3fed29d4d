#pragma once

#include <string>

#include "framework/training/model_file.h"

namespace vitrine {

// An image file as the model wants it: uint8 [1, C, H, W]. Colour is added or averaged away, other
// sizes are scaled, which `observer` is told. Throws Error(kData).
Tensor read_image(const std::string& path, const ModelContext& wanted, bool invert,
                  Observer& observer);

// What the model is given of uint8 images [B, C, H, W].
Tensor input_of(const ModelFile& model, const Tensor& pixels);

}  // namespace vitrine
