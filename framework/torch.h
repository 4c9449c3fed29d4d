#pragma once

// The part of libtorch that modules use, kept narrow because it is compiled before each of them:
// <torch/torch.h> takes twice as long. A component that needs more includes it itself.
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>

#include "framework/tensor.h"
