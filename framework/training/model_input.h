#pragma once

#include <string>
#include <vector>

#include "framework/engine/engine.h"
#include "framework/training/model_file.h"

namespace vitrine {

// What was done to an image that may not be meant.
struct ImageNote {
  const char* kind;  // the same of all images to which this was done
  std::string text;  // with the image's name
};

struct ReadImage {
  Tensor pixels;  // uint8 [1, C, H, W], as the model takes them
  std::vector<ImageNote> notes;
};

// An image file, or that on standard input ("-"), as the model wants it: colour is added or taken
// away, other sizes are scaled. Throws Error(kData).
ReadImage read_image(const std::string& path, const ModelFile& model, const ImageOptions& options);

// What the model is given of uint8 images [B, C, H, W].
Tensor input_of(const ModelFile& model, const Tensor& pixels);

}  // namespace vitrine
