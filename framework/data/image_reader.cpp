#include "framework/data/image_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/error.h"
#include "framework/images/planes.h"

namespace vitrine {
namespace {

bool has_size(const Image& image, const ImageSize& size) {
  return image.height == size.height && image.width == size.width;
}

}  // namespace

std::vector<std::shared_ptr<ImageTransform>> Preparation::of_images() const {
  std::vector<std::shared_ptr<ImageTransform>> out;
  for (const auto& transform : transforms) {
    if (auto of_images = std::dynamic_pointer_cast<ImageTransform>(transform))
      out.push_back(std::move(of_images));
  }
  return out;
}

bool Preparation::takes_any_size() const {
  const auto all = of_images();
  return std::any_of(all.begin(), all.end(),
                     [](const auto& transform) { return transform->takes_any_size(); });
}

ImageReader::ImageReader(const Split& split, const Preparation& preparation, uint64_t seed)
    : split_(split),
      transforms_(preparation.of_images()),
      size_(preparation.size),
      resize_(preparation.resize),
      crop_ratio_(preparation.crop_ratio),
      zooms_(preparation.zooms()),
      background_(preparation.background),
      seed_(seed) {
  if (size_.height > 0 || split_.stored() == 0) return;
  const Image first = stored(0);
  size_ = {first.channels, first.height, first.width};
}

bool ImageReader::changes(bool is_random) const {
  const Tensor& images = split_.images;
  if (!images.defined() || images.size(2) != size_.height || images.size(3) != size_.width ||
      zooms_)
    return true;
  return std::any_of(transforms_.begin(), transforms_.end(),
                     [&](const auto& transform) { return is_random || !transform->is_random(); });
}

void ImageReader::read(int64_t row, int64_t number, int64_t epoch, bool is_random,
                       uint8_t* out) const {
  write_planes(transformed(stored(row), row, number, epoch, is_random), out);
}

Image ImageReader::stored(int64_t row) const {
  if (!split_.images.defined()) return split_.source->read(row);
  const Tensor& images = split_.images;
  return image_of(images.const_data_ptr<uint8_t>() + row * images.stride(0), images.size(1),
                  images.size(2), images.size(3));
}

Image ImageReader::fitted(Image image) const {
  if (has_size(image, size_) && !zooms_) return image;
  return resize(image, size_.width, size_.height, resize_, background_, crop_ratio_);
}

// Images are resized where nothing has cut them to their size before.
Image ImageReader::transformed(Image image, int64_t row, int64_t number, int64_t epoch,
                               bool is_random) const {
  bool is_fitted = false;
  for (const auto& transform : transforms_) {
    if (!is_random && transform->is_random()) continue;
    if (!is_fitted && !transform->takes_any_size()) image = fitted(std::move(image));
    is_fitted = true;
    Draws draws(seed_, epoch, number, transform->salt());
    image = transform->applied(std::move(image), draws);
  }
  if (!is_fitted) image = fitted(std::move(image));
  if (has_size(image, size_) && image.channels == size_.channels) return image;
  throw Error(
      ExitCode::kData,
      fmt::format("{}: {} x {} pixels of {} channels: all must be {} x {} of {}",
                  split_.source ? escape(split_.source->name(row)) : "an image", image.width,
                  image.height, image.channels, size_.width, size_.height, size_.channels));
}

}  // namespace vitrine
