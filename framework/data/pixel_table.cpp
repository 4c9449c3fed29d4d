#include "framework/data/pixel_table.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>

#include <algorithm>

namespace vitrine {
namespace {

constexpr int64_t kBytes = 256;

}  // namespace

Tensor pixel_table(Transform& transform, at::IntArrayRef images, const BatchPosition& position) {
  const int64_t channels = images[1], pixels = images[2] * images[3];
  if (images[0] == 0 || pixels < kBytes) return {};
  const Tensor bytes = at::arange(pixels).remainder_(kBytes).to(at::kFloat).div_(255);
  const Tensor all = bytes.view({1, 1, images[2], images[3]}).repeat({1, channels, 1, 1});
  const Tensor made =
      transform(all, {position.seed, position.epoch, position.indices.narrow(0, 0, 1)});
  return made.reshape({channels, pixels}).narrow(1, 0, kBytes).contiguous();
}

void look_up(const uint8_t* image, int64_t channels, int64_t pixels, const float* table,
             float* out) {
  for (int64_t c = 0; c < channels; ++c) {
    const float* of_channel = table + c * kBytes;
    const int64_t end = (c + 1) * pixels;
    for (int64_t i = c * pixels; i < end; ++i) out[i] = of_channel[image[i]];
  }
}

Tensor Buffers::take(at::IntArrayRef shape) {
  constexpr size_t kMost = 4;
  const int64_t count = c10::multiply_integers(shape);
  const auto is_free = [](const Tensor& buffer) { return buffer.storage().use_count() == 1; };
  std::erase_if(kept_,
                [&](const Tensor& buffer) { return is_free(buffer) && buffer.numel() < count; });
  auto found = std::find_if(kept_.begin(), kept_.end(), is_free);
  if (found == kept_.end()) {
    if (kept_.size() == kMost) kept_.erase(kept_.begin());
    found = kept_.insert(kept_.end(), at::empty({count}, at::kFloat));
  }
  return found->narrow(0, 0, count).view(shape);
}

}  // namespace vitrine
