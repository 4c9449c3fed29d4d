#pragma once

#include "framework/tensor.h"

namespace vitrine {

// Softmax over the last dimension, and its logarithm. Few columns on the CPU take a kernel of our
// own, anything else libtorch's; both give gradients, and agree up to rounding.
Tensor softmax(const Tensor& x);
Tensor log_softmax(const Tensor& x);

}  // namespace vitrine
