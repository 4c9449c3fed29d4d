#include "framework/files/wire_format.h"

#include <bit>

namespace vitrine {
namespace {

enum WireType : unsigned { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };

template <class T>
std::string little_endian(T value) {
  std::string out;
  for (size_t i = 0; i < sizeof(T); ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
  return out;
}

// What is left of a message.
class WireReader {
 public:
  explicit WireReader(std::string_view rest) : rest_(rest) {}

  bool is_empty() const { return rest_.empty(); }

  std::optional<uint64_t> varint() {
    uint64_t out = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      out |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return out;
    }
    return std::nullopt;
  }

  std::optional<uint64_t> fixed(size_t width) {
    const auto bytes = take(width);
    if (!bytes) return std::nullopt;
    uint64_t out = 0;
    for (size_t i = 0; i < width; ++i)
      out |= static_cast<uint64_t>(static_cast<unsigned char>((*bytes)[i])) << (8 * i);
    return out;
  }

  std::optional<std::string_view> take(uint64_t count) {
    if (count > rest_.size()) return std::nullopt;
    const std::string_view out = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return out;
  }

 private:
  std::string_view rest_;
};

std::optional<WireField> next_field(WireReader& reader) {
  const auto key = reader.varint();
  if (!key) return std::nullopt;
  WireField out;
  out.number = static_cast<int>(*key >> 3);
  std::optional<uint64_t> value;
  switch (*key & 7) {
    case kVarint:
      value = reader.varint();
      break;
    case kFixed64:
      value = reader.fixed(8);
      break;
    case kFixed32:
      value = reader.fixed(4);
      break;
    case kLength:
      value = reader.varint();
      if (const auto bytes = reader.take(value.value_or(UINT64_MAX))) {
        out.bytes = *bytes;
      } else {
        value.reset();
      }
      break;
    default:
      break;
  }
  if (!value) return std::nullopt;
  out.integer = *value;
  return out;
}

}  // namespace

void WireMessage::varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) text_ += static_cast<char>(value | 0x80);
  text_ += static_cast<char>(value);
}

void WireMessage::key(int field, unsigned type) {
  varint(static_cast<unsigned>(field) << 3 | type);
}

WireMessage& WireMessage::integer(int field, int64_t value) {
  key(field, kVarint);
  varint(static_cast<uint64_t>(value));
  return *this;
}

WireMessage& WireMessage::real(int field, double value) {
  key(field, kFixed64);
  text_ += little_endian(std::bit_cast<uint64_t>(value));
  return *this;
}

WireMessage& WireMessage::single(int field, float value) {
  key(field, kFixed32);
  text_ += little_endian(std::bit_cast<uint32_t>(value));
  return *this;
}

WireMessage& WireMessage::bytes(int field, std::string_view value) {
  key(field, kLength);
  varint(value.size());
  text_ += value;
  return *this;
}

WireMessage& WireMessage::reals(int field, const std::vector<double>& values) {
  key(field, kLength);
  varint(values.size() * sizeof(double));
  for (const double value : values) text_ += little_endian(std::bit_cast<uint64_t>(value));
  return *this;
}

double WireField::real() const { return std::bit_cast<double>(integer); }
float WireField::single() const { return std::bit_cast<float>(static_cast<uint32_t>(integer)); }

std::optional<std::vector<WireField>> wire_fields(std::string_view message) {
  std::vector<WireField> out;
  for (WireReader reader(message); !reader.is_empty();) {
    const auto field = next_field(reader);
    if (!field) return std::nullopt;
    out.push_back(*field);
  }
  return out;
}

}  // namespace vitrine
