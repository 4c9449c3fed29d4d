#pragma once

#include "framework/tensor.h"

namespace vitrine {

// softmax(q k^T / sqrt(d)) v -> [B, n, heads * d], of q [B, heads, n, d], k and v [B, heads, N, d].
// Narrow heads on the CPU take a kernel of our own, anything else libtorch's; both give gradients,
// and agree up to rounding.
Tensor attention_of_heads(const Tensor& q, const Tensor& k, const Tensor& v);

}  // namespace vitrine
