#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace vitrine {
using at::Tensor;
}
