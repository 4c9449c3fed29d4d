#include "framework/data/batches.h"

namespace vitrine {

Batches::Batches(const Split& split, const std::vector<std::shared_ptr<Transform>>& transforms,
                 at::Device device, uint64_t seed, bool training)
    : split_(split), converts_(!transforms.empty()), device_(device), seed_(seed) {
  for (const auto& transform : transforms) {
    if (training || !transform->is_random()) transforms_.push_back(transform);
  }
  split_.labels = split_.labels.to(device);
  if (split_.images.defined()) split_.images = split_.images.to(device);
}

Batch Batches::gather(const Tensor& indices, int64_t epoch) const {
  const Tensor on_device = indices.to(device_);
  Batch out;
  out.position = {seed_, epoch, indices};
  out.labels = split_.labels.index_select(0, on_device);
  out.images = split_.images.defined() ? split_.images.index_select(0, on_device)
                                       : split_.read(indices).to(device_);
  if (converts_) out.images = out.images.to(at::kFloat).div_(255);
  for (const auto& transform : transforms_) {
    out.images = transform->forward(out.images, out.position);
  }
  return out;
}

Tensor Batches::pixels(const Tensor& indices) const {
  if (!split_.images.defined()) return split_.read(indices).cpu();
  return split_.images.index_select(0, indices.to(device_)).cpu();
}

}  // namespace vitrine
