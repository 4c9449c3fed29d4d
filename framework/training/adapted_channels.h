#pragma once

#include "framework/tensor.h"

namespace vitrine {

// Weights [out, from * n] for images of another number of channels, as timm makes them: to one they
// are summed; else repeated, and scaled so that the sum over channels stays about the same.
Tensor adapted_channels(const Tensor& weight, int64_t from, int64_t to);

}  // namespace vitrine
