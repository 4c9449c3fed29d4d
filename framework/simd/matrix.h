#pragma once

#include <cstddef>

namespace vitrine {

// A matrix for each image of a group, or, with the layout kImages, one for all of them. Strides
// are in floats. Null where there is none.
struct Matrix {
  float* at = nullptr;
  size_t row = 0;    // from a token to the next
  size_t image = 0;  // from an image to the next
};

}  // namespace vitrine
