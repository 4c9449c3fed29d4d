#pragma once

#include "framework/images/decode.h"
#include "framework/images/resize.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine {

// An image whose pixels are as many as it says, on white or on a colour; small ones are scaled as
// well.
inline Image decoded(std::string_view bytes) {
  const Colour background = bytes.size() % 2 == 0 ? kWhite : Colour{1, 2, 3};
  const Image image = decode_image(bytes, "fuzz", {background});
  require(image.channels == 1 || image.channels == 3);
  require(image.width * image.height * image.channels == static_cast<int64_t>(image.pixels.size()));
  if (image.pixels.size() > 4096) return image;
  for (const ResizeMode mode : kResizeModes)
    require(resize(image, 5, 3, mode).pixels.size() == static_cast<size_t>(15 * image.channels));
  return image;
}

}  // namespace vitrine
