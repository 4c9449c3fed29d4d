#pragma once

#include <string>
#include <vector>

#include "framework/predicting/image_input.h"
#include "framework/training/model_file.h"

namespace vitrine {

WantedImages wanted_images(const ModelFile& model);

struct ReadImage {
  Tensor pixels;  // uint8 [1, C, H, W], as the model takes them
  std::vector<ImageNote> notes;
};

// image_input, as a tensor.
ReadImage read_image(const std::string& path, const ModelFile& model, const ImageOptions& options);

// uint8 [1, C, H, W] of planes [C, H, W].
Tensor tensor_of(const ModelFile& model, std::vector<uint8_t> planes);

// What the model is given of uint8 images [B, C, H, W].
Tensor input_of(const ModelFile& model, const Tensor& pixels);

}  // namespace vitrine
