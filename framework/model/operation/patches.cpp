#include "framework/model/value.h"

namespace vitrine {
namespace {

// uint8 images with 255 as 1; others as they are.
Tensor to_float(const Tensor& images) {
  return images.scalar_type() == at::kByte ? images.to(at::kFloat).div_(255) : images;
}

// Of recorded programs the images come from the feed, and their sizes stand before the numbers.
Tensor patches_form(const TorchCall& call) {
  const Tensor images = to_float(call.inputs.empty() ? call.feed->images : call.inputs[0]);
  const size_t first = call.numbers.size() - 2;
  const int64_t rows = call.count(first), columns = call.count(first + 1);
  const int64_t channels = images.size(1);
  const int64_t height = images.size(2) / rows, width = images.size(3) / columns;
  return images.reshape({-1, channels, rows, height, columns, width})
      .permute({0, 2, 4, 1, 3, 5})
      .reshape({-1, rows * columns, channels * height * width});
}

VITRINE_TORCH_FORM(patches, patches_form)

}  // namespace
}  // namespace vitrine
