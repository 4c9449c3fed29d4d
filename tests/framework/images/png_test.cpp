#include <zlib.h>

#include "framework/images/decode.h"
#include "framework/images/encode.h"
#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

using Bytes = std::vector<uint8_t>;

std::string big_endian(uint32_t value) {
  return {char(value >> 24), char(value >> 16), char(value >> 8), char(value)};
}

std::string chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  const auto sum = crc32(0, reinterpret_cast<const Bytef*>(body.data()), uInt(body.size()));
  return big_endian(uint32_t(data.size())) + body + big_endian(uint32_t(sum));
}

std::string zlib_stream(const std::string& bytes) {
  uLongf size = compressBound(bytes.size());
  std::string out(size, '\0');
  compress(reinterpret_cast<Bytef*>(out.data()), &size,
           reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  out.resize(size);
  return out;
}

struct Raw {
  uint32_t width, height;
  int depth, color;
  std::string rows;         // each with its filter byte
  std::string before = {};  // chunks between IHDR and IDAT
};

std::string png(const Raw& raw) {
  const std::string header = big_endian(raw.width) + big_endian(raw.height) + char(raw.depth) +
                             char(raw.color) + std::string(3, '\0');
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + raw.before +
         chunk("IDAT", zlib_stream(raw.rows)) + chunk("IEND", "");
}

constexpr DecodeOptions kOverBlack = {kBlack};

std::string failure(const std::string& bytes) {
  return message_of(ExitCode::kData, [&] { decode_image(bytes, "a.png"); });
}

Image gradient(int64_t width, int64_t height, int64_t channels) {
  Image image{width, height, channels, {}};
  for (int64_t i = 0; i < width * height * channels; ++i) {
    image.pixels.push_back(static_cast<uint8_t>(i * 37));
  }
  return image;
}

TEST_CASE("PNG: grey and RGB images come back as they were") {
  for (const int64_t channels : {1, 3}) {
    for (const PngEffort effort : {PngEffort::kQuick, PngEffort::kFull}) {
      const Image image = gradient(5, 7, channels);
      const Image back = decode_image(encode_png(image, effort), "a.png");
      CHECK(back.width == 5);
      CHECK(back.height == 7);
      CHECK(back.channels == channels);
      CHECK(back.pixels == image.pixels);
    }
  }
}

TEST_CASE("PNG: 16 bits are rounded to 8") {
  const std::string rows("\0\x00\x7f\x00\x81\xff\xff\x80\x00", 9);
  CHECK(decode_image(png({4, 1, 16, 0, rows}), "a.png").pixels == Bytes{0, 1, 255, 128});
}

TEST_CASE("PNG: bits are spread over 0 to 255") {
  CHECK(decode_image(png({4, 1, 1, 0, std::string("\0\xa0", 2)}), "a.png").pixels ==
        Bytes{255, 0, 255, 0});
  CHECK(decode_image(png({4, 1, 2, 0, std::string("\0\x1b", 2)}), "a.png").pixels ==
        Bytes{0, 85, 170, 255});
}

TEST_CASE("PNG: palettes are looked up, transparent colours show the background") {
  const std::string palette = chunk("PLTE", "\x10\x20\x30\x40\x50\x60");
  const std::string rows("\0\x01\x00", 3);
  const Image opaque = decode_image(png({2, 1, 8, 3, rows, palette}), "a.png");
  CHECK(opaque.channels == 3);
  CHECK(opaque.pixels == Bytes{0x40, 0x50, 0x60, 0x10, 0x20, 0x30});
  const std::string alpha = palette + chunk("tRNS", std::string("\xff\x00", 2));
  CHECK(decode_image(png({2, 1, 8, 3, rows, alpha}), "a.png", kOverBlack).pixels ==
        Bytes{0, 0, 0, 0x10, 0x20, 0x30});
}

TEST_CASE("PNG: alpha is laid over the background") {
  const Image grey =
      decode_image(png({3, 1, 8, 4, std::string("\0\xc8\xff\xc8\x80\xc8\0", 7)}), "a", kOverBlack);
  CHECK(grey.channels == 1);
  CHECK(grey.pixels == Bytes{200, 100, 0});
  const Image color =
      decode_image(png({1, 1, 8, 6, std::string("\0\xff\x80\x01\x80", 5)}), "a", kOverBlack);
  CHECK(color.channels == 3);
  CHECK(color.pixels == Bytes{128, 64, 1});
}

TEST_CASE("PNG: grey with alpha takes the colour of the background, white by default") {
  const std::string file = png({3, 1, 8, 4, std::string("\0\xc8\xff\xc8\x80\xc8\0", 7)});
  DecodeNotes notes;
  CHECK(decode_image(file, "a", {}, &notes).pixels == Bytes{200, 227, 255});
  CHECK(notes.is_transparent);
  const Image red = decode_image(file, "a", {Colour{255, 0, 0}});
  CHECK(red.channels == 3);
  CHECK(red.pixels == Bytes{200, 200, 200, 227, 100, 100, 255, 0, 0});
  decode_image(png({1, 1, 8, 4, std::string("\0\xc8\xff", 3)}), "a", {}, &notes);
  CHECK_FALSE(notes.is_transparent);  // an alpha that hides all
}

TEST_CASE("PNG: EXIF turns the image, before the pixels and behind them") {
  const std::string exif("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0", 26);
  const std::string rows("\0\x01\x02\x03", 4);
  const std::string before = png({3, 1, 8, 0, rows, chunk("eXIf", exif)});
  const std::string plain = png({3, 1, 8, 0, rows}), end = chunk("IEND", "");
  const std::string behind = plain.substr(0, plain.size() - end.size()) + chunk("eXIf", exif) + end;
  for (const std::string& file : {before, behind}) {
    const Image image = decode_image(file, "a");
    CHECK(image.width == 1);
    CHECK(image.height == 3);
    CHECK(image.pixels == Bytes{1, 2, 3});
  }
}

TEST_CASE("PNG: of an animation the first frame, which is noted") {
  DecodeNotes notes;
  const std::string control = chunk("acTL", big_endian(2) + big_endian(0));
  const std::string rows("\0\x01\x02", 3);
  CHECK(decode_image(png({2, 1, 8, 0, rows, control}), "a", {}, &notes).pixels == Bytes{1, 2});
  CHECK(notes.is_animated);
  decode_image(png({2, 1, 8, 0, rows}), "a", {}, &notes);
  CHECK_FALSE(notes.is_animated);
}

TEST_CASE("PNG: a gamma in the file does not change the numbers") {
  const std::string gamma = chunk("gAMA", big_endian(100'000));
  CHECK(decode_image(png({2, 1, 8, 0, std::string("\0\x10\x80", 3), gamma}), "a").pixels ==
        Bytes{0x10, 0x80});
}

TEST_CASE("PNG: what is not an image is refused in words") {
  const std::string good = png({2, 1, 8, 0, std::string("\0\x10\x80", 3)});
  for (size_t length = 8; length < good.size(); ++length) {
    CHECK(failure(good.substr(0, length)) == "a.png: PNG data is corrupt: the file ends early");
  }
  std::string wrong_sum = good;
  wrong_sum[29] ^= 1;
  CHECK(failure(wrong_sum) == "a.png: PNG data is corrupt: IHDR: CRC error");
  CHECK(failure(png({2, 0, 8, 0, ""})) == "a.png: PNG data is corrupt: Invalid IHDR data");
  CHECK(failure(png({2, 2, 8, 0, std::string("\0\x10\x80", 3)})) ==
        "a.png: PNG data is corrupt: Not enough image data");
}

TEST_CASE("PNG: sizes are limited before memory is spent") {
  CHECK(failure(png({8001, 8000, 8, 0, ""})) ==
        "a.png: image of 8001 x 8000 pixels, at most 64000000 are allowed");
  CHECK(failure(png({8000, 8000, 8, 6, ""})) == "a.png: PNG data is corrupt: the file ends early");
}

TEST_CASE("PNG: an image whose sizes do not fit is not written") {
  const auto message = [](const Image& image) {
    return message_of(ExitCode::kFailed, [&] { encode_png(image); });
  };
  CHECK(message({2, 2, 1, Bytes(3)}) ==
        "cannot write a PNG of 2 x 2 pixels with 1 channels from 3 bytes");
  CHECK(message({0, 2, 1, {}}) ==
        "cannot write a PNG of 0 x 2 pixels with 1 channels from 0 bytes");
  CHECK(message({1, 1, 2, Bytes(2)}) ==
        "cannot write a PNG of 1 x 1 pixels with 2 channels from 2 bytes");
  CHECK(message({INT64_MAX, INT64_MAX, 1, Bytes(1)}) ==
        "cannot write a PNG of 9223372036854775807 x 9223372036854775807 pixels with 1 channels "
        "from 1 bytes");
}

}  // namespace
}  // namespace vitrine
