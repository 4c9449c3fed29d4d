#include "framework/images/decode.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/error.h"
#include "framework/images/formats.h"

namespace vitrine {

void refuse_too_large(int64_t width, int64_t height, std::string_view name) {
  if (width > kMaxPixels / height) refuse_data(name, too_large(width, height));
}

namespace {

struct Signature {
  size_t at;
  std::string_view bytes;
  const char* format;
};

using namespace std::string_view_literals;

// What else people call an image.
constexpr Signature kOtherFormats[] = {
    {0, "GIF8", "a GIF image"},
    {0, "II*\0"sv, "a TIFF image"},
    {0, "MM\0*"sv, "a TIFF image"},
    {0, "II+\0"sv, "a TIFF image"},
    {0, "MM\0+"sv, "a TIFF image"},
    {0, "BM", "a BMP image"},
    {4, "ftypavif", "an AVIF image"},
    {4, "ftypavis", "an AVIF image"},
    {4, "ftyphe", "a HEIC image"},
    {4, "ftypmif1", "a HEIC image"},
    {4, "ftypmsf1", "a HEIC image"},
    {4, "ftyp", "a video"},
    {4, "jP  \r\n\x87\n", "a JPEG 2000 image"},
    {0, "\xff\x4f\xff\x51", "a JPEG 2000 image"},
    {4, "JXL \r\n\x87\n", "a JPEG XL image"},
    {0, "\xff\x0a", "a JPEG XL image"},
    {0, "\0\0\1\0"sv, "an icon (ICO)"},
    {0, "8BPS", "a Photoshop file"},
    {0, "%PDF", "a PDF file"},
    {0, "P5", "a PGM image"},
    {0, "P6", "a PPM image"},
    {0, "\x93NUMPY", "a NumPy array"},
    {128, "DICM", "a DICOM image"},
    {0, "<svg", "an SVG drawing"},
    {0, "<?xml", "XML, such as an SVG drawing"},
    {0, "<!DOCTYPE", "a web page"},
    {0, "<html", "a web page"},
    {0, "version https://git-lfs", "a pointer of Git LFS to a file that was not fetched"},
};

bool has_at(std::string_view bytes, size_t at, std::string_view signature) {
  return bytes.size() >= at && bytes.substr(at).starts_with(signature);
}

[[noreturn]] void refuse_format(std::string_view bytes, std::string_view name) {
  if (bytes.empty()) refuse_data(name, "an empty file");
  for (const Signature& other : kOtherFormats) {
    if (has_at(bytes, other.at, other.bytes))
      refuse_data(name, fmt::format("{}; {} are read", other.format, kReadFormats));
  }
  refuse_data(name, fmt::format("not an image; {} are read", kReadFormats));
}

DecodedFile decode_file(std::string_view bytes, std::string_view name) {
  if (bytes.starts_with("\xff\xd8\xff")) return decode_jpeg(bytes, name);
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return decode_png(bytes, name);
  if (bytes.starts_with("RIFF") && has_at(bytes, 8, "WEBP")) return decode_webp(bytes, name);
  refuse_format(bytes, name);
}

// Lays `count` pixels of From channels with alpha behind them over the background, and returns the
// least alpha.
template <size_t From, size_t To>
int lay_over(const uint8_t* pixel, size_t count, const int* behind, uint8_t* to) {
  int least = 255;
  for (size_t i = 0; i < count; ++i, pixel += From + 1, to += To) {
    const int alpha = pixel[From];
    for (size_t c = 0; c < To; ++c) {
      const int value = pixel[From == 1 ? 0 : c] * alpha + behind[c] * (255 - alpha);
      to[c] = static_cast<uint8_t>((value + 127) / 255);
    }
    least = std::min(least, alpha);
  }
  return least;
}

// Without alpha; grey stays grey where the background is.
Image over(const DecodedFile& file, Colour background, bool& is_transparent) {
  const int behind[] = {background.red, background.green, background.blue};
  const bool is_grey = file.channels == 2;
  Image out{file.width, file.height, is_grey && background.is_grey() ? 1 : 3, {}};
  const auto count = static_cast<size_t>(file.width * file.height);
  out.pixels.resize(count * static_cast<size_t>(out.channels));
  const auto lay = !is_grey ? lay_over<3, 3> : out.channels == 1 ? lay_over<1, 1> : lay_over<1, 3>;
  is_transparent = lay(file.pixels.data(), count, behind, out.pixels.data()) < 255;
  return out;
}

}  // namespace

Image decode_image(std::string_view bytes, std::string_view name, const DecodeOptions& options,
                   DecodeNotes* notes) {
  DecodedFile file = decode_file(bytes, name);
  DecodeNotes found{false, file.is_animated};
  Image image = file.channels % 2 == 0
                    ? over(file, options.background, found.is_transparent)
                    : Image{file.width, file.height, file.channels, std::move(file.pixels)};
  if (notes) *notes = found;
  return turned(std::move(image), file.orientation);
}

}  // namespace vitrine
