#pragma once

#include <c10/core/ScalarType.h>

#include <string>
#include <vector>

#include "framework/tensor.h"

namespace vitrine {

// "uint8 [60, 1, 28, 28]", in numpy's words; "undefined" where it is.
std::string type_and_shape(const Tensor& tensor);
std::string type_and_shape(at::ScalarType type, const std::vector<int64_t>& shape);

// The first of `items`, which must not be empty, as "a; b and 3 more".
std::string some_of(std::vector<std::string> items, const char* separator = "; ");

}  // namespace vitrine
