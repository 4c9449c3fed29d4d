#include "framework/files/png.h"

#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>

#include "framework/error.h"

namespace vitrine {
namespace {

std::string too_large(int64_t width, int64_t height) {
  return "image of " + std::to_string(width) + " x " + std::to_string(height) +
         " pixels, at most " + std::to_string(kMaxPixels) + " are allowed";
}

// Reads one file. libpng leaves its functions by longjmp, so the functions here that call it own
// nothing that would need a destructor.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    info_ = png_ ? png_create_info_struct(png_) : nullptr;
    if (!info_) throw std::bad_alloc();
    png_set_read_fn(png_, this, on_read);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { png_destroy_read_struct(&png_, &info_, nullptr); }

  // The header, with every form of pixel turned into 8 bits of grey or RGB, with or without alpha.
  bool read_header() {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_read_info(png_, info_);
    png_set_expand(png_);
    png_set_scale_16(png_);
    passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }

  // All rows, into `pixels` of row_bytes() times height(), and the chunks after them.
  bool read_pixels(uint8_t* pixels) {
    if (setjmp(png_jmpbuf(png_))) return false;
    for (int pass = 0; pass < passes_; ++pass) {
      for (int64_t y = 0; y < height(); ++y) {
        png_read_row(png_, pixels + y * row_bytes(), nullptr);
      }
    }
    png_read_end(png_, nullptr);
    return true;
  }

  const char* message() const { return message_; }
  int64_t width() const { return png_get_image_width(png_, info_); }
  int64_t height() const { return png_get_image_height(png_, info_); }
  int64_t channels() const { return png_get_channels(png_, info_); }  // 1 to 4, alpha included
  int64_t row_bytes() const { return static_cast<int64_t>(png_get_rowbytes(png_, info_)); }

 private:
  [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
    auto* reader = static_cast<Reader*>(png_get_error_ptr(png));
    std::snprintf(reader->message_, sizeof reader->message_, "%s", message);
    png_longjmp(png, 1);
  }
  static void on_warning(png_structp, png_const_charp) {}
  static void on_read(png_structp png, png_bytep out, size_t count) {
    std::string_view& rest = static_cast<Reader*>(png_get_io_ptr(png))->rest_;
    if (count > rest.size()) png_error(png, "the file ends early");
    std::memcpy(out, rest.data(), count);
    rest.remove_prefix(count);
  }

  std::string_view rest_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  int passes_ = 1;
  char message_[128] = "";
};

// Lays pixels with alpha as their last channel over black and drops that channel.
std::vector<uint8_t> over_black(const std::vector<uint8_t>& pixels, int64_t channels) {
  std::vector<uint8_t> out;
  out.reserve(pixels.size() / static_cast<size_t>(channels) * static_cast<size_t>(channels - 1));
  for (auto pixel = pixels.begin(); pixel != pixels.end(); pixel += channels) {
    const int alpha = pixel[channels - 1];
    for (int64_t c = 0; c + 1 < channels; ++c) {
      out.push_back(static_cast<uint8_t>((pixel[c] * alpha + 127) / 255));
    }
  }
  return out;
}

}  // namespace

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

Image decode_png(std::string_view bytes, std::string_view name) {
  if (!bytes.starts_with("\x89PNG\r\n\x1a\n")) refuse_data(name, "not a PNG image");
  Reader reader(bytes);
  const auto corrupt = [&] {
    refuse_data(name, std::string("PNG data is corrupt: ") + reader.message());
  };
  if (!reader.read_header()) corrupt();
  Image image{reader.width(), reader.height(), reader.channels() < 3 ? 1 : 3, {}};
  if (image.width > kMaxPixels / image.height)
    refuse_data(name, too_large(image.width, image.height));
  // Deflate grows at most 1032 times, and a 1-bit pixel to four bytes at most: memory is only spent
  // on files that may hold the pixels they announce.
  const int64_t size = reader.row_bytes() * image.height;
  if (static_cast<uint64_t>(size) / (uint64_t{1032} * 32) > bytes.size()) {
    refuse_data(name, "PNG data is corrupt: the file ends early");
  }
  image.pixels.resize(static_cast<size_t>(size));
  if (!reader.read_pixels(image.pixels.data())) corrupt();
  if (reader.channels() != image.channels) {
    image.pixels = over_black(image.pixels, reader.channels());
  }
  return image;
}

}  // namespace vitrine
