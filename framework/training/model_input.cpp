#include "framework/training/model_input.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>

namespace vitrine {

WantedImages wanted_images(const ModelFile& model) {
  const ModelContext& images = model.context;
  return {images.channels, images.height,    images.width,
          model.resize,    model.crop_ratio, model.background};
}

ReadImage read_image(const std::string& path, const ModelFile& model, const ImageOptions& options) {
  ImageInput input = image_input(path, wanted_images(model), options);
  return {tensor_of(model, std::move(input.planes)), std::move(input.notes)};
}

Tensor tensor_of(const ModelFile& model, std::vector<uint8_t> planes) {
  const ModelContext& images = model.context;
  return at::from_blob(planes.data(), {1, images.channels, images.height, images.width}, at::kByte)
      .clone();
}

Tensor input_of(const ModelFile& model, const Tensor& pixels) {
  if (model.transforms.empty()) return pixels;
  Tensor out = pixels.to(at::kFloat).div(255);
  for (const auto& transform : model.transforms)
    out = (*transform)(out, {0, 0, at::zeros({1}, at::kLong)});
  return out;
}

}  // namespace vitrine
