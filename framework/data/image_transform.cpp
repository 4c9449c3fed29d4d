#include "framework/data/image_transform.h"

#include <ATen/ops/empty_like.h>

#include "framework/images/planes.h"

namespace vitrine {

Tensor ImageTransform::forward(const Tensor& images, const BatchPosition& position) {
  const Tensor bytes = images.mul(255).round_().clamp_(0, 255).to(at::kCPU, at::kByte).contiguous();
  Tensor out = at::empty_like(bytes);
  const int64_t channels = bytes.size(1), height = bytes.size(2), width = bytes.size(3);
  const int64_t size = channels * height * width;
  for (int64_t i = 0; i < bytes.size(0); ++i) {
    Draws draws(position.seed, position.epoch, position.indices.data_ptr<int64_t>()[i], salt_);
    const uint8_t* from = bytes.const_data_ptr<uint8_t>() + i * size;
    write_planes(applied(image_of(from, channels, height, width), draws),
                 out.data_ptr<uint8_t>() + i * size);
  }
  return out.to(images.options()).div_(255);
}

}  // namespace vitrine
