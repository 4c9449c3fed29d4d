#include "framework/images/encode.h"

#include <png.h>

#include "framework/error.h"

namespace vitrine {

std::string encode_png(const Image& image, PngEffort effort) {
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
  png.flags = effort == PngEffort::kQuick ? PNG_IMAGE_FLAG_FAST : 0;
  png.format = image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
  std::string out(size, '\0');
  if (!png_image_write_to_memory(&png, out.data(), &size, 0, image.pixels.data(), 0, nullptr)) {
    throw Error(ExitCode::kFailed, std::string("cannot write PNG: ") + png.message);
  }
  out.resize(size);
  return out;
}

Image decode_encoded(std::string_view png, std::string_view name) {
  png_image file = {};
  file.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_memory(&file, png.data(), png.size()))
    refuse_data(name, file.message);
  if (file.width > kMaxPixels / file.height) {
    png_image_free(&file);
    refuse_data(name, too_large(file.width, file.height));
  }
  Image out{file.width, file.height, file.format & PNG_FORMAT_FLAG_COLOR ? 3 : 1, {}};
  file.format = out.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  out.pixels.resize(PNG_IMAGE_SIZE(file));
  const png_color black = {0, 0, 0};
  if (!png_image_finish_read(&file, &black, out.pixels.data(), 0, nullptr))
    refuse_data(name, file.message);
  return out;
}

}  // namespace vitrine
