#include "framework/data/batches.h"

#include <ATen/ops/cat.h>

#include "framework/data/splits.h"

namespace vitrine {

Batches::Batches(const Split& split, const std::vector<std::shared_ptr<Transform>>& transforms,
                 at::Device device, uint64_t seed, bool training)
    : split_(split),
      transforms_(transforms),
      is_random_(training),
      converts_(!transforms.empty()),
      device_(device),
      seed_(seed) {
  for (Tensor& labels : split_.labels) labels = labels.to(device);
  if (split_.images.defined()) split_.images = split_.images.to(device);
}

Batches Batches::as_evaluated() const {
  Batches out = *this;
  out.is_random_ = false;
  return out;
}

Batches Batches::as_trained() const {
  Batches out = *this;
  out.is_random_ = true;
  return out;
}

Batches Batches::first(int64_t count) const {
  Batches out = *this;
  out.split_ = first_images(split_, std::min(count, size()));
  return out;
}

Batch Batches::gather(const Tensor& indices, int64_t epoch, int64_t views) const {
  const Tensor on_device = indices.to(device_);
  const Tensor pixels = split_.images.defined() ? split_.images.index_select(0, on_device)
                                                : split_.read(indices).to(device_);
  Batch out;
  out.count = indices.size(0);
  for (const Tensor& labels : split_.labels)
    out.labels.push_back(labels.index_select(0, on_device));
  std::vector<Tensor> images, numbers;
  for (int64_t view = 0; view < views; ++view) {
    // Numbers beyond those of the split are of no other image.
    numbers.push_back(view == 0 ? indices : indices + view * size());
    images.push_back(transformed(pixels, {seed_, epoch, numbers.back()}));
  }
  out.images = views == 1 ? images[0] : at::cat(images);
  out.position = {seed_, epoch, views == 1 ? indices : at::cat(numbers)};
  return out;
}

Tensor Batches::transformed(const Tensor& pixels, const BatchPosition& position) const {
  Tensor out = converts_ ? pixels.to(at::kFloat).div_(255) : pixels;
  for (const auto& transform : transforms_) {
    if (is_random_ || !told(*transform, "is_random", &Transform::is_random))
      out = (*transform)(out, position);
  }
  return out;
}

Tensor Batches::pixels(const Tensor& indices) const {
  if (!split_.images.defined()) return split_.read(indices).cpu();
  return split_.images.index_select(0, indices.to(device_)).cpu();
}

}  // namespace vitrine
