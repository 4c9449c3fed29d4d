#pragma once

#include <string>

#include "framework/data/batch_position.h"
#include "framework/tensor.h"

// What experiments that tell images from parts of them have in common with the picture of that.
namespace vitrine {

struct Reconstruction {
  Tensor hidden;  // bool [B, C, H, W]: the pixels that were hidden
  Tensor told;    // float [B, C, H, W]: what all of them are told to be, 1 is white
};

class Reconstructs {
 public:
  virtual ~Reconstructs() = default;
  // Of images as a batch has them; `position` says what is hidden.
  virtual Reconstruction reconstruct(const Tensor& images, const BatchPosition& position) = 0;
  // What of the hidden pixels is not told but taken from the image; empty where nothing is.
  virtual std::string told_relative_to() const { return ""; }
};

}  // namespace vitrine
