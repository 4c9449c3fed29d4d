#pragma once

#include "framework/data/transform.h"

namespace vitrine {

// What `transform`, one that only normalizes, makes of every byte in each channel of images
// [N, C, H, W]: float [C, 256]. Undefined where the images have fewer pixels.
Tensor pixel_table(Transform& transform, at::IntArrayRef images, const BatchPosition& position);
// Looks up each byte of an image [C, pixels] in a table [C, 256].
void look_up(const uint8_t* image, int64_t channels, int64_t pixels, const float* table,
             float* out);

// Memory of tensors that nobody holds any more. Pages that the system gives anew for every batch
// cost more than what is written into them.
class Buffers {
 public:
  // A float tensor on the CPU, its values undefined.
  Tensor take(at::IntArrayRef shape);

 private:
  std::vector<Tensor> kept_;
};

}  // namespace vitrine
