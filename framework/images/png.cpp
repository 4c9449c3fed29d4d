#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>

#include "framework/error.h"
#include "framework/images/formats.h"

namespace vitrine {
namespace {

// Reads one file. libpng leaves its functions by longjmp, so the functions here that call it own
// nothing that would need a destructor.
class PngReader {
 public:
  explicit PngReader(std::string_view bytes) : rest_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    info_ = png_ ? png_create_info_struct(png_) : nullptr;
    if (!info_) throw std::bad_alloc();
    png_set_read_fn(png_, this, on_read);
    // Tells animations, which libpng knows nothing of.
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_ALWAYS,
                                reinterpret_cast<const png_byte*>("acTL"), 1);
  }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }

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
    png_read_end(png_, info_);
    return true;
  }

  std::string_view exif() {
    png_bytep bytes = nullptr;
    png_uint_32 size = 0;
    if (!png_get_eXIf_1(png_, info_, &size, &bytes)) return {};
    return {reinterpret_cast<const char*>(bytes), size};
  }
  bool is_animated() {
    png_unknown_chunkp chunks = nullptr;
    return png_get_unknown_chunks(png_, info_, &chunks) > 0;
  }

  const char* message() const { return message_; }
  int64_t width() const { return png_get_image_width(png_, info_); }
  int64_t height() const { return png_get_image_height(png_, info_); }
  int64_t channels() const { return png_get_channels(png_, info_); }  // 1 to 4, alpha included
  int64_t row_bytes() const { return static_cast<int64_t>(png_get_rowbytes(png_, info_)); }

 private:
  [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
    auto* reader = static_cast<PngReader*>(png_get_error_ptr(png));
    std::snprintf(reader->message_, sizeof reader->message_, "%s", message);
    png_longjmp(png, 1);
  }
  static void on_warning(png_structp, png_const_charp) {}
  static void on_read(png_structp png, png_bytep out, size_t count) {
    std::string_view& rest = static_cast<PngReader*>(png_get_io_ptr(png))->rest_;
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

}  // namespace

DecodedFile decode_png(std::string_view bytes, std::string_view name) {
  PngReader reader(bytes);
  const auto corrupt = [&] {
    refuse_data(name, std::string("PNG data is corrupt: ") + reader.message());
  };
  if (!reader.read_header()) corrupt();
  DecodedFile out{reader.width(), reader.height(), reader.channels(), {}};
  refuse_too_large(out.width, out.height, name);
  // Deflate grows at most 1032 times, and a 1-bit pixel to four bytes at most: memory is only spent
  // on files that may hold the pixels they announce.
  const int64_t size = reader.row_bytes() * out.height;
  if (static_cast<uint64_t>(size) / (uint64_t{1032} * 32) > bytes.size()) {
    refuse_data(name, "PNG data is corrupt: the file ends early");
  }
  out.pixels.resize(static_cast<size_t>(size));
  if (!reader.read_pixels(out.pixels.data())) corrupt();
  const std::string_view exif = reader.exif();
  if (!exif.empty()) out.orientation = orientation_of(exif);
  out.is_animated = reader.is_animated();
  return out;
}

}  // namespace vitrine
