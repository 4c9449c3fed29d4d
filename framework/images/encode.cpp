#include "framework/images/encode.h"

#include <png.h>

#include "framework/error.h"

namespace vitrine {

std::string encode_png(const Image& image) {
  const bool sizes = image.width > 0 && image.height > 0 && image.width <= kMaxPixels &&
                     image.height <= kMaxPixels && (image.channels == 1 || image.channels == 3);
  if (!sizes ||
      static_cast<size_t>(image.width * image.height * image.channels) != image.pixels.size()) {
    throw Error(ExitCode::kFailed, "cannot write a PNG of " + std::to_string(image.width) + " x " +
                                       std::to_string(image.height) + " pixels with " +
                                       std::to_string(image.channels) + " channels from " +
                                       std::to_string(image.pixels.size()) + " bytes");
  }
  if (image.width * image.height > kMaxPixels) {
    throw Error(ExitCode::kFailed, too_large(image.width, image.height));
  }
  png_image png = {};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  png.format = image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
  std::string out(size, '\0');
  if (!png_image_write_to_memory(&png, out.data(), &size, 0, image.pixels.data(), 0, nullptr)) {
    throw Error(ExitCode::kFailed, std::string("cannot write PNG: ") + png.message);
  }
  out.resize(size);
  return out;
}

}  // namespace vitrine
