#include "framework/files/records.h"

#include <boost/crc.hpp>

namespace vitrine {
namespace {

constexpr size_t kLengthWidth = 8, kChecksumWidth = 4;

std::string bytes_of_number(uint64_t value, size_t width) {
  std::string out;
  for (size_t i = 0; i < width; ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
  return out;
}

uint64_t number_of_bytes(std::string_view bytes) {
  uint64_t out = 0;
  for (size_t i = bytes.size(); i-- > 0;) out = out << 8 | static_cast<unsigned char>(bytes[i]);
  return out;
}

bool is_intact(std::string_view bytes, std::string_view checksum) {
  return masked_crc32c(bytes) == number_of_bytes(checksum);
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

uint32_t masked_crc32c(std::string_view bytes) {
  const uint32_t crc = crc32c(bytes);
  return (crc >> 15 | crc << 17) + 0xA282EAD8U;
}

std::string framed_record(std::string_view record) {
  const std::string length = bytes_of_number(record.size(), kLengthWidth);
  return length + bytes_of_number(masked_crc32c(length), kChecksumWidth) + std::string(record) +
         bytes_of_number(masked_crc32c(record), kChecksumWidth);
}

std::optional<std::string_view> take_record(std::string_view& bytes) {
  constexpr size_t kHead = kLengthWidth + kChecksumWidth;
  if (bytes.size() < kHead + kChecksumWidth) return std::nullopt;
  if (!is_intact(bytes.substr(0, kLengthWidth), bytes.substr(kLengthWidth, kChecksumWidth)))
    return std::nullopt;
  const uint64_t length = number_of_bytes(bytes.substr(0, kLengthWidth));
  if (length > bytes.size() - kHead - kChecksumWidth) return std::nullopt;
  const std::string_view record = bytes.substr(kHead, length);
  if (!is_intact(record, bytes.substr(kHead + length, kChecksumWidth))) return std::nullopt;
  bytes.remove_prefix(kHead + length + kChecksumWidth);
  return record;
}

}  // namespace vitrine
