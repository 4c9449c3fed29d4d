#include <zlib.h>

#include "framework/images/encode.h"
#include "tests/fuzz/decoded.h"

namespace vitrine {
namespace {

uint32_t big_endian(const char* bytes) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// The file with the checksum of every chunk made right, because a mutation hardly ever is.
std::string with_checksums(std::string_view bytes) {
  std::string out(bytes);
  for (size_t at = 8; at + 12 <= out.size();) {
    const uint64_t length = big_endian(&out[at]);
    if (length > out.size() - at - 12) break;
    const auto* body = reinterpret_cast<const Bytef*>(&out[at + 4]);
    const auto sum = static_cast<uint32_t>(crc32(0, body, static_cast<uInt>(length + 4)));
    for (int i = 0; i < 4; ++i) out[at + 8 + length + i] = static_cast<char>(sum >> (24 - 8 * i));
    at += 12 + length;
  }
  return out;
}

void decode(std::string_view bytes) {
  const Image image = decoded(bytes);
  if (image.pixels.size() > 4096) return;
  require(decode_image(encode_png(image), "fuzz").pixels == image.pixels);
}

void check(std::string_view bytes) {
  decode(with_checksums(bytes));
  decode(bytes);
}

}  // namespace
}  // namespace vitrine

VITRINE_FUZZ_TARGET(vitrine::check);
