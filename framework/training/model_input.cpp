#include "framework/training/model_input.h"

#include <ATen/ops/tensor.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include "framework/files/file.h"
#include "framework/files/paths.h"
#include "framework/files/png.h"

namespace vitrine {

namespace fs = std::filesystem;

// An image file as the model wants it: uint8 [1, C, H, W]. Colour is added or averaged away, other
// sizes are scaled.
Tensor read_image(const std::string& path, const ModelContext& wanted, bool invert,
                  Observer& observer) {
  constexpr uint64_t kMaxBytes = uint64_t{256} << 20;
  std::error_code error;
  if (!fs::exists(path, error) && !error) {
    throw Error(ExitCode::kData,
                "cannot read " + escape(path) + ": no such file" + counted_from_here(path));
  }
  const Image image = decode_png(read_file(path, kMaxBytes), path);
  Tensor pixels = at::tensor(at::ArrayRef<uint8_t>(image.pixels))
                      .view({1, image.height, image.width, image.channels});
  pixels = pixels.permute({0, 3, 1, 2}).to(at::kFloat);
  if (invert) pixels = 255 - pixels;
  if (wanted.channels == 1 && image.channels == 3) {
    // Luma, ITU-R BT.601
    pixels = (pixels * at::tensor({0.299F, 0.587F, 0.114F}).view({1, 3, 1, 1})).sum(1, true);
  } else if (wanted.channels == 3 && image.channels == 1) {
    pixels = pixels.expand({1, 3, image.height, image.width});
  } else if (wanted.channels != image.channels) {
    throw Error(ExitCode::kData, fmt::format("{}: has {} channels, the model was trained on {}",
                                             escape(path), image.channels, wanted.channels));
  }
  if (image.height != wanted.height || image.width != wanted.width) {
    observer.warning(fmt::format("{}: scaled from {} x {} to the model's {} x {}", escape(path),
                                 image.width, image.height, wanted.width, wanted.height));
    pixels = at::upsample_bilinear2d(pixels.contiguous(), {wanted.height, wanted.width}, false);
  }
  return pixels.round().clamp(0, 255).to(at::kByte);
}

// What the model is given of uint8 images.
Tensor input_of(const ModelFile& model, const Tensor& pixels) {
  if (model.transforms.empty()) return pixels;
  Tensor out = pixels.to(at::kFloat).div(255);
  for (const auto& transform : model.transforms)
    out = (*transform)(out, {0, 0, at::zeros({1}, at::kLong)});
  return out;
}

}  // namespace vitrine
