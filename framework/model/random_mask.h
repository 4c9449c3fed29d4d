#pragma once

#include "framework/model/value.h"

namespace vitrine {

// Factors that drop numbers with a probability and let the others grow so that the mean stays:
// [B, count] for count numbers of each image, of which `number` gives the place among all that are
// drawn at this site. By the batch's position, or where there is none, or the batch lies on another
// device, from libtorch's generator.
template <class Number>
Tensor random_mask(const TorchCall& call, const Tensor& like, int64_t count, double probability,
                   int64_t site, const Number& number);

}  // namespace vitrine

#include <ATen/ops/empty.h>

#include "framework/draws.h"

namespace vitrine {

template <class Number>
Tensor random_mask(const TorchCall& call, const Tensor& like, int64_t count, double probability,
                   int64_t site, const Number& number) {
  // What is the same for all images is not so any more.
  const bool is_fed = call.feed && call.feed->images.defined();
  const int64_t images = is_fed ? call.feed->images.size(0) : like.size(0);
  const Tensor out = at::empty({images, count}, like.options().dtype(at::kFloat));
  const BatchPosition position = call.feed ? call.feed->position : BatchPosition();
  if (!position.indices.defined() || !like.is_cpu())
    return Tensor(out).bernoulli_(1 - probability).div_(1 - probability);
  const auto least = static_cast<float>(probability);
  const float kept = 1 / (1 - least);
  const auto* indices = position.indices.const_data_ptr<int64_t>();
  float* to = out.data_ptr<float>();
  for (int64_t image = 0; image < images; ++image, to += count) {
    const Draws draws(position.seed, position.epoch, indices[image],
                      model_salt(static_cast<uint64_t>(site)));
    for (int64_t i = 0; i < count; ++i)
      to[i] = draws.uniform_at(static_cast<uint64_t>(number(i))) >= least ? kept : 0;
  }
  return out;
}

}  // namespace vitrine
