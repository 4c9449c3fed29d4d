#include "framework/files/tar.h"

#include <charconv>

#include "framework/error.h"

namespace vitrine {
namespace {

constexpr size_t kTarBlock = 512;

// Up to the first NUL.
std::string_view tar_text(std::string_view block, size_t begin, size_t size) {
  const std::string_view field = block.substr(begin, size);
  return field.substr(0, field.find('\0'));
}

// Octal digits; false where there are none.
bool tar_number(std::string_view field, uint64_t& out) {
  while (field.starts_with(' ')) field.remove_prefix(1);
  const char* end = field.data() + field.size();
  return std::from_chars(field.data(), end, out, 8).ec == std::errc();
}

}  // namespace

std::vector<TarEntry> parse_tar(std::string_view bytes, std::string_view name) {
  std::vector<TarEntry> out;
  while (bytes.size() >= kTarBlock && bytes[0] != '\0') {
    const std::string_view header = bytes.substr(0, kTarBlock);
    uint64_t size = 0;
    if (header.substr(257, 5) != "ustar" || !tar_number(tar_text(header, 124, 12), size))
      refuse_data(name, "not a tar archive of the format ustar");
    bytes.remove_prefix(kTarBlock);
    if (size > bytes.size()) refuse_data(name, "the tar archive is truncated");
    const char type = header[156];
    const std::string_view prefix = tar_text(header, 345, 155);
    if (type == '0' || type == '\0') {
      out.push_back({(prefix.empty() ? "" : std::string(prefix) + "/") +
                         std::string(tar_text(header, 0, 100)),
                     bytes.substr(0, size)});
    }
    bytes.remove_prefix(std::min(bytes.size(), (size + kTarBlock - 1) / kTarBlock * kTarBlock));
  }
  return out;
}

}  // namespace vitrine
