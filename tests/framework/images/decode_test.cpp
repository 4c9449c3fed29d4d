#include "framework/images/decode.h"

#include <unistd.h>
#include <webp/encode.h>

#include <thread>

#include "framework/images/encode.h"
#include "tests/framework/files/support.h"
#include "tests/framework/images/write_jpeg.h"

namespace vitrine {
namespace {

using Bytes = std::vector<uint8_t>;

std::string failure(const std::string& bytes) {
  return message_of(ExitCode::kData, [&] { decode_image(bytes, "a.jpg"); });
}

// All of one value, or of one pixel.
Bytes filled(size_t count, const Bytes& pixel) {
  Bytes out;
  for (size_t i = 0; i < count; ++i) out.insert(out.end(), pixel.begin(), pixel.end());
  return out;
}

// Four quarters of 8 x 8 pixels: 10, 20 above 30, 40. JPEG keeps such blocks as they are.
Bytes quarters() {
  Bytes out;
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 16; ++x) out.push_back(static_cast<uint8_t>(10 + x / 8 * 10 + y / 8 * 20));
  }
  return out;
}
// The same three numbers that tell them apart.
Bytes corners(const Image& image) {
  const auto at = [&](int64_t x, int64_t y) {
    return image.pixels[static_cast<size_t>((y * image.width + x) * image.channels)];
  };
  const int64_t right = image.width - 1, bottom = image.height - 1;
  return {at(0, 0), at(right, 0), at(0, bottom), at(right, bottom)};
}

// EXIF data that tell an orientation, with the bytes of numbers either way.
std::string exif(int orientation, bool big_endian = true) {
  const char value = static_cast<char>(orientation);
  if (big_endian) {
    return std::string("Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0", 25) + value +
           std::string(6, '\0');
  }
  return std::string("Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", 24) + value +
         std::string(7, '\0');
}

TEST_CASE("JPEG: grey and colour, whatever the file is called") {
  const Image grey = decode_image(jpeg(16, 16, quarters()), "a.png");
  CHECK(grey.width == 16);
  CHECK(grey.height == 16);
  CHECK(grey.channels == 1);
  CHECK(grey.pixels == quarters());
  for (const bool progressive : {false, true}) {
    const Jpeg how = {JCS_RGB, JCS_YCbCr, 3, progressive, false, 2};
    const Image colour = decode_image(jpeg(20, 9, filled(180, {200, 100, 50}), how), "a");
    CHECK(colour.width == 20);
    CHECK(colour.height == 9);
    CHECK(colour.channels == 3);
    CHECK(colour.pixels == filled(180, {200, 100, 50}));
  }
  const Jpeg plain = {JCS_RGB, JCS_RGB, 3, false, true};
  CHECK(decode_image(jpeg(8, 8, filled(64, {1, 2, 255}), plain), "a").pixels ==
        filled(64, {1, 2, 255}));
}

TEST_CASE("JPEG: EXIF turns the image upright") {
  // The corners of what is shown, from the top left by rows.
  const std::vector<Bytes> shown = {{10, 20, 30, 40}, {20, 10, 40, 30}, {40, 30, 20, 10},
                                    {30, 40, 10, 20}, {10, 30, 20, 40}, {30, 10, 40, 20},
                                    {40, 20, 30, 10}, {20, 40, 10, 30}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool big_endian : {true, false}) {
      INFO(orientation << big_endian);
      const std::string file = jpeg(16, 16, quarters(), {.exif = exif(orientation, big_endian)});
      CHECK(corners(decode_image(file, "a")) == shown[static_cast<size_t>(orientation - 1)]);
    }
  }
  const Image tall = decode_image(jpeg(16, 8, filled(128, {7}), {.exif = exif(6)}), "a");
  CHECK(tall.width == 8);
  CHECK(tall.height == 16);
}

TEST_CASE("JPEG: EXIF data that make no sense turn nothing") {
  for (const std::string& data :
       {exif(0), exif(9), exif(6).substr(0, 20), std::string("Exif\0\0", 6),
        std::string("Exif\0\0MM\0*\xff\xff\xff\xff", 14), std::string("http://ns.adobe.com/xap"),
        exif(6).substr(0, 14) + std::string(50, '\xff')}) {
    CHECK(decode_image(jpeg(16, 16, quarters(), {.exif = data}), "a").pixels == quarters());
  }
}

TEST_CASE("JPEG: CMYK and YCCK are mixed, those of Adobe's programs as they are inverted") {
  const Bytes inks = {255, 128, 0, 51};  // cyan, magenta, yellow, black
  const Bytes seen = {0, 102, 204};
  Bytes inverted;
  for (const uint8_t ink : inks) inverted.push_back(static_cast<uint8_t>(255 - ink));
  const auto decoded = [](const Bytes& pixel, const Jpeg& how) {
    const Image image = decode_image(jpeg(8, 8, filled(64, pixel), how), "a");
    CHECK(image.channels == 3);
    CHECK(image.pixels == filled(64, {image.pixels[0], image.pixels[1], image.pixels[2]}));
    return Bytes(image.pixels.begin(), image.pixels.begin() + 3);
  };
  CHECK(decoded(inks, {JCS_CMYK, JCS_CMYK, 4, false, false}) == Bytes{0, 102, 204});
  CHECK(decoded(inverted, {JCS_CMYK, JCS_CMYK, 4, false, true}) == Bytes{0, 102, 204});
  CHECK(decoded(inverted, {JCS_CMYK, JCS_YCCK, 4, false, true}) == Bytes{0, 102, 204});
}

TEST_CASE("JPEG: what is broken is refused in words") {
  const std::string good = jpeg(16, 16, quarters());
  for (size_t length = 3; length < good.size(); ++length) {
    CHECK(failure(good.substr(0, length)) == "a.jpg: JPEG data is corrupt: the file ends early");
  }
  for (const bool progressive : {false, true}) {
    const std::string colour =
        jpeg(40, 40, filled(1600, {200, 100, 50}), {JCS_RGB, JCS_YCbCr, 3, progressive, false, 2});
    CHECK(failure(colour.substr(0, colour.size() * 9 / 10)) ==
          "a.jpg: JPEG data is corrupt: the file ends early");
  }
  std::string large = good;
  const size_t frame = large.find("\xff\xc0");
  large.replace(frame + 5, 4, "\xf0\xf0\xf0\xf0");
  CHECK(failure(large) == "a.jpg: image of 61680 x 61680 pixels, at most 64000000 are allowed");
  std::string empty = good;
  empty.replace(frame + 5, 4, std::string(4, '\0'));
  CHECK(failure(empty) == "a.jpg: JPEG data is corrupt: Empty JPEG image (DNL not supported)");
  std::string cut = good;  // the end comes in the middle of the pixels
  cut.insert(cut.size() - 8, "\xff\xd9");
  CHECK(failure(cut) ==
        "a.jpg: JPEG data is corrupt: Corrupt JPEG data: premature end of data segment");
}

// What is written to standard error meanwhile.
template <class Action>
std::string said(const Action& action) {
  std::FILE* file = std::tmpfile();
  const int before = dup(2);
  dup2(fileno(file), 2);
  action();
  dup2(before, 2);
  close(before);
  std::rewind(file);
  char text[200];
  std::string out(text, std::fread(text, 1, sizeof text, file));
  std::fclose(file);
  return out;
}

TEST_CASE("JPEG: bytes that belong to nothing are passed over, without a word") {
  std::string file = jpeg(16, 16, quarters());
  file.insert(file.size() - 2, "\1\2\3");
  Image image;
  CHECK(said([&] { image = decode_image(file + "more", "a"); }) == "");
  CHECK(image.pixels == quarters());
  CHECK(said([&] { failure(file.substr(0, file.size() - 9)); }) == "");
}

std::string little_endian(uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}
std::string chunk(const std::string& type, const std::string& data) {
  return type + little_endian(data.size(), 4) + data + std::string(data.size() % 2, '\0');
}
std::string riff(const std::string& chunks) { return chunk("RIFF", "WEBP" + chunks); }

// Pixels of four channels; without loss.
std::string webp(int width, int height, const Bytes& rgba) {
  uint8_t* bytes = nullptr;
  const size_t size = WebPEncodeLosslessRGBA(rgba.data(), width, height, width * 4, &bytes);
  std::string file(reinterpret_cast<char*>(bytes), size);
  WebPFree(bytes);
  return file;
}
// The chunks of such a file.
std::string inside(const std::string& file) { return file.substr(12); }
std::string extended(int flags, int width, int height) {
  return chunk("VP8X", little_endian(static_cast<uint64_t>(flags), 4) +
                           little_endian(static_cast<uint64_t>(width - 1), 3) +
                           little_endian(static_cast<uint64_t>(height - 1), 3));
}

TEST_CASE("WebP: colour, with transparency over the background") {
  DecodeNotes notes;
  const Image opaque = decode_image(webp(2, 1, {1, 2, 3, 255, 40, 50, 60, 255}), "a", {}, &notes);
  CHECK(opaque.width == 2);
  CHECK(opaque.height == 1);
  CHECK(opaque.channels == 3);
  CHECK(opaque.pixels == Bytes{1, 2, 3, 40, 50, 60});
  CHECK_FALSE(notes.is_transparent);
  const std::string file = webp(2, 1, {200, 100, 0, 128, 40, 50, 60, 255});
  CHECK(decode_image(file, "a", {}, &notes).pixels == Bytes{227, 177, 127, 40, 50, 60});
  CHECK(notes.is_transparent);
  CHECK(decode_image(file, "a", {kBlack}).pixels == Bytes{100, 50, 0, 40, 50, 60});
}

TEST_CASE("WebP: with loss") {
  uint8_t* bytes = nullptr;
  const Bytes grey = filled(256, {128, 128, 128});
  const size_t size = WebPEncodeRGB(grey.data(), 16, 16, 48, 90, &bytes);
  const std::string file(reinterpret_cast<char*>(bytes), size);
  WebPFree(bytes);
  CHECK(decode_image(file, "a").pixels == grey);
}

TEST_CASE("WebP: EXIF turns the image") {
  const std::string pixels = inside(webp(2, 1, {1, 2, 3, 255, 40, 50, 60, 255}));
  for (const std::string& data : {exif(3), exif(3).substr(6)}) {
    const Image image = decode_image(riff(extended(8, 2, 1) + pixels + chunk("EXIF", data)), "a");
    CHECK(image.pixels == Bytes{40, 50, 60, 1, 2, 3});
  }
}

TEST_CASE("WebP: of an animation the first frame, in its place") {
  const auto frame = [](int x, const Bytes& pixel) {
    return chunk("ANMF", little_endian(static_cast<uint64_t>(x / 2), 3) + little_endian(0, 3) +
                             little_endian(0, 3) + little_endian(0, 3) + little_endian(100, 3) +
                             std::string(1, '\0') + inside(webp(1, 1, pixel)));
  };
  const std::string file = riff(extended(2, 3, 1) + chunk("ANIM", std::string(6, '\0')) +
                                frame(2, {10, 20, 30, 255}) + frame(0, {70, 80, 90, 255}));
  DecodeNotes notes;
  CHECK(decode_image(file, "a", {}, &notes).pixels ==
        Bytes{255, 255, 255, 255, 255, 255, 10, 20, 30});
  CHECK(notes.is_animated);
}

TEST_CASE("WebP: what is broken is refused in words") {
  const std::string good = webp(40, 40, filled(1600, {1, 2, 3, 128}));
  for (size_t length = 12; length < good.size(); ++length) {
    CHECK(failure(good.substr(0, length)) == "a.jpg: WebP data is corrupt: the file ends early");
  }
  CHECK(failure(riff("")) == "a.jpg: WebP data is corrupt");
  CHECK(failure(riff(chunk("VP8L", std::string(20, 'x')))) == "a.jpg: WebP data is corrupt");
  CHECK(failure(riff(extended(2, 16384, 16384) + chunk("ANIM", std::string(6, '\0')))) ==
        "a.jpg: WebP data is corrupt");
}

TEST_CASE("Images of other formats are named") {
  const auto other = [](const std::string& bytes) {
    return message_of(ExitCode::kData, [&] { decode_image(bytes, "x/a.jpg"); });
  };
  CHECK(other("") == "x/a.jpg: an empty file");
  CHECK(other("seed: 1\n") == "x/a.jpg: not an image; JPEG, PNG and WebP are read");
  CHECK(other("GIF89a") == "x/a.jpg: a GIF image; JPEG, PNG and WebP are read");
  CHECK(other(std::string("II*\0\1\2\3\4", 8)) ==
        "x/a.jpg: a TIFF image; JPEG, PNG and WebP are read");
  CHECK(other("BM1234") == "x/a.jpg: a BMP image; JPEG, PNG and WebP are read");
  CHECK(other(std::string("\0\0\0\x18"
                          "ftypheic",
                          12)) == "x/a.jpg: a HEIC image; JPEG, PNG and WebP are read");
  CHECK(other(std::string("\0\0\0\x1c"
                          "ftypavif",
                          12)) == "x/a.jpg: an AVIF image; JPEG, PNG and WebP are read");
  CHECK(other("<!DOCTYPE html>") == "x/a.jpg: a web page; JPEG, PNG and WebP are read");
  CHECK(message_of(ExitCode::kData, [] { decode_image("x", "\x1b[2J"); }) ==
        "\\x1b[2J: not an image; JPEG, PNG and WebP are read");
}

TEST_CASE("Images are read on many threads at a time") {
  const std::vector<std::string> files = {jpeg(16, 16, quarters(), {.exif = exif(6)}),
                                          webp(1, 1, {1, 2, 3, 128}), encode_png({1, 1, 1, {7}}),
                                          jpeg(16, 16, quarters()).substr(0, 300), ""};
  const auto read = [&] {
    std::string all;
    for (const std::string& file : files) {
      try {
        const Bytes pixels = decode_image(file, "a").pixels;
        all.append(pixels.begin(), pixels.end());
      } catch (const Error& error) {
        all += error.what();
      }
    }
    return all;
  };
  const std::string expected = read();
  std::vector<int> same(4);
  std::vector<std::thread> threads;
  for (int& one : same) {
    threads.emplace_back([&] {
      one = 1;
      for (int i = 0; i < 50; ++i) one &= read() == expected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(same == std::vector<int>{1, 1, 1, 1});
}

TEST_CASE("Colours have names and numbers") {
  CHECK(parse_colour("white") == kWhite);
  CHECK(parse_colour("grey") == Colour{128, 128, 128});
  CHECK(parse_colour("#ff8001") == Colour{255, 128, 1});
  CHECK(parse_colour("#FF8001") == Colour{255, 128, 1});
  for (const char* none : {"", "#", "#fff", "#ff80011", "#gg0000", "#-12345", "red", "ff8001"})
    CHECK_FALSE(parse_colour(none));
}

TEST_CASE("Colour becomes grey as Pillow makes it, and grey colour") {
  const Image colour = {3, 1, 3, {255, 0, 0, 0, 255, 0, 10, 20, 30}};
  CHECK(with_channels(colour, 1).pixels == Bytes{76, 150, 18});
  CHECK(with_channels({2, 1, 1, {5, 6}}, 3).pixels == Bytes{5, 5, 5, 6, 6, 6});
}

}  // namespace
}  // namespace vitrine
