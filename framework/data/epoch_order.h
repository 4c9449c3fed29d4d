#pragma once

#include "framework/tensor.h"

namespace vitrine {

// The order in which one epoch visits n images: PyTorch's, as a DataLoader with shuffle=True draws
// it.
class EpochOrder {
 public:
  // Takes two numbers from the global CPU generator, as PyTorch does at the start of an epoch: the
  // first (the base seed of its workers) is dropped, the second seeds the permutation.
  static EpochOrder draw(int64_t n);
  // The order that seed() belonged to; draws nothing.
  static EpochOrder from_seed(int64_t seed, int64_t n);

  int64_t seed() const { return seed_; }
  int64_t size() const { return order_.size(0); }
  // int64 [count], or fewer where the epoch ends; empty after its end.
  Tensor indices(int64_t first, int64_t count) const;

 private:
  EpochOrder(int64_t seed, int64_t n);

  int64_t seed_;
  Tensor order_;
};

}  // namespace vitrine
