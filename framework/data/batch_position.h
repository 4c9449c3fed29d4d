#pragma once

#include <cstdint>

#include "framework/tensor.h"

namespace vitrine {

// Where a batch stands in training. What is random draws from these alone, never from the global
// generator, so neither the order of images nor threads matter.
struct BatchPosition {
  uint64_t seed = 0;
  int64_t epoch = 0;
  Tensor indices;  // int64 [B], on the CPU: each image's number in the training set
};

}  // namespace vitrine
