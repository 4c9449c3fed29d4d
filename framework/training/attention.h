#pragma once

#include "framework/training/tensor.h"

namespace vitrine {

// softmax(q k^T / sqrt(d)) v -> [B, n, heads * d]. Narrow heads on the CPU take a kernel of our
// own, anything else libtorch's; both give gradients, and agree up to rounding. While training,
// each probability is zeroed with probability `dropout`.
Tensor attention(const Tensor& qkv, double dropout = 0);  // [3, B, heads, n, d]
// q [B, heads, n, d], kv [2, B, heads, N, d]
Tensor attention(const Tensor& q, const Tensor& kv, double dropout = 0);

}  // namespace vitrine
