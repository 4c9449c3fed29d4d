#include <ATen/ops/argsort.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/stack.h>

#include "framework/draws.h"
#include "framework/model/value.h"

namespace vitrine {
namespace {

// [B, count], of which the order is that of their sizes. By the batch's position, or where there is
// none, or the batch lies on another device, from libtorch's generator.
Tensor drawn(const TorchCall& call) {
  const int64_t images = call.feed->images.size(0), count = call.count(0);
  const BatchPosition& position = call.feed->position;
  if (!position.indices.defined() || !call.feed->images.is_cpu())
    return at::rand({images, count}, call.feed->images.options().dtype(at::kFloat));
  const Tensor out = at::empty({images, count}, at::kFloat);
  float* to = out.data_ptr<float>();
  for (int64_t image = 0; image < images; ++image) {
    const Draws draws(position.seed, position.epoch,
                      position.indices.const_data_ptr<int64_t>()[image],
                      model_salt(static_cast<uint64_t>(call.count(1))));
    for (int64_t i = 0; i < count; ++i) *to++ = draws.uniform_at(static_cast<uint64_t>(i));
  }
  return out;
}

Tensor random_order_form(const TorchCall& call) {
  const Tensor order = at::argsort(drawn(call), /*stable=*/true, 1, /*descending=*/false);
  return at::stack({order, at::argsort(order, true, 1, false)}, 2).to(at::kFloat);
}

VITRINE_TORCH_FORM(random_order, random_order_form)

}  // namespace
}  // namespace vitrine
