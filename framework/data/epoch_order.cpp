#include "framework/data/epoch_order.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randperm.h>

#include <algorithm>

namespace vitrine {
namespace {

int64_t draw_integer() { return at::empty({}, at::kLong).random_().item<int64_t>(); }

}  // namespace

EpochOrder::EpochOrder(int64_t seed, int64_t n)
    : seed_(seed),
      order_(at::randperm(n, at::detail::createCPUGenerator(static_cast<uint64_t>(seed)),
                          at::kLong)) {}

EpochOrder EpochOrder::draw(int64_t n) {
  draw_integer();
  return EpochOrder(draw_integer(), n);
}

EpochOrder EpochOrder::from_seed(int64_t seed, int64_t n) { return EpochOrder(seed, n); }

Tensor EpochOrder::indices(int64_t first, int64_t count) const {
  first = std::min(first, size());
  return order_.narrow(0, first, std::min(count, size() - first));
}

}  // namespace vitrine
