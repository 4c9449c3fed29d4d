#include "framework/files/idx.h"

#include "framework/error.h"

namespace vitrine {
namespace {

constexpr size_t kMaxRank = 4;

unsigned byte_at(std::string_view bytes, size_t i) { return static_cast<unsigned char>(bytes[i]); }

std::string hex(unsigned value) {
  constexpr const char* kDigits = "0123456789abcdef";
  return {kDigits[value >> 4 & 15], kDigits[value & 15]};
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string out;
  for (const int64_t size : shape) out += (out.empty() ? "[" : ", ") + std::to_string(size);
  return out + "]";
}

// Checks the four bytes of the magic number and returns the rank in the last of them.
size_t parse_magic(std::string_view bytes, std::string_view name, IdxType type) {
  if (bytes.size() < 4) {
    refuse_data(name,
                "truncated: " + std::to_string(bytes.size()) + " bytes, an IDX file begins with 4");
  }
  if (byte_at(bytes, 0) != 0 || byte_at(bytes, 1) != 0) {
    refuse_data(name, "not an IDX file: it begins with " + hex(byte_at(bytes, 0)) + " " +
                          hex(byte_at(bytes, 1)) + ", not with 00 00");
  }
  if (byte_at(bytes, 2) != static_cast<unsigned>(type)) {
    refuse_data(name, "IDX element type 0x" + hex(byte_at(bytes, 2)) + " is not supported, only " +
                          (type == IdxType::kByte ? "0x08 (unsigned byte)" : "0x0c (int)"));
  }
  const size_t rank = byte_at(bytes, 3);
  if (rank < 1 || rank > kMaxRank) {
    refuse_data(name, "IDX rank " + std::to_string(rank) + " is not supported, only 1 to 4");
  }
  return rank;
}

uint32_t big_endian_at(std::string_view bytes, size_t i) {
  return byte_at(bytes, i) << 24 | byte_at(bytes, i + 1) << 16 | byte_at(bytes, i + 2) << 8 |
         byte_at(bytes, i + 3);
}

std::vector<int64_t> parse_shape(std::string_view bytes, size_t rank) {
  std::vector<int64_t> shape;
  for (size_t i = 4; i < 4 + 4 * rank; i += 4) shape.push_back(big_endian_at(bytes, i));
  return shape;
}

}  // namespace

IdxArray parse_idx(std::string_view bytes, std::string_view name, IdxType type) {
  const size_t rank = parse_magic(bytes, name, type);
  const size_t header = 4 + 4 * rank;
  if (bytes.size() < header) {
    refuse_data(name, "truncated: " + std::to_string(bytes.size()) + " bytes, the IDX header has " +
                          std::to_string(header));
  }
  IdxArray array{parse_shape(bytes, rank), {}};
  uint64_t count = type == IdxType::kByte ? 1 : 4;
  for (const int64_t size : array.shape) {
    if (__builtin_mul_overflow(count, static_cast<uint64_t>(size), &count)) {
      refuse_data(name, "IDX shape " + shape_text(array.shape) + " is too large");
    }
  }
  const std::string_view data = bytes.substr(header);
  if (data.size() != count) {
    refuse_data(name, (data.size() < count ? "truncated: shape " : "too long: shape ") +
                          shape_text(array.shape) + " needs " + std::to_string(count) +
                          " bytes, the file has " + std::to_string(data.size()));
  }
  array.bytes = data;
  return array;
}

std::vector<int64_t> idx_ints(const IdxArray& array) {
  std::vector<int64_t> out;
  out.reserve(array.bytes.size() / 4);
  for (size_t i = 0; i + 4 <= array.bytes.size(); i += 4)
    out.push_back(static_cast<int32_t>(big_endian_at(array.bytes, i)));
  return out;
}

}  // namespace vitrine
