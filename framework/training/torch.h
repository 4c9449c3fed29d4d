#pragma once

// The part of libtorch that components use, kept narrow because it is compiled before each of them:
// <torch/torch.h> takes four times as long. A component that needs more includes it itself.
#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>

namespace vitrine {
using at::Tensor;
}
