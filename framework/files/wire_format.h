#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Protocol buffers' wire format, without their library: a message is a string of numbered fields
// (https://protobuf.dev/programming-guides/encoding).
namespace vitrine {

// A message that is being written.
class WireMessage {
 public:
  WireMessage& integer(int field, int64_t value);
  WireMessage& real(int field, double value);             // of type double
  WireMessage& single(int field, float value);            // of type float
  WireMessage& bytes(int field, std::string_view value);  // a string, bytes, or a message
  WireMessage& message(int field, const WireMessage& value) { return bytes(field, value.text()); }
  WireMessage& reals(int field, const std::vector<double>& values);  // packed

  const std::string& text() const { return text_; }

 private:
  void key(int field, unsigned type);
  void varint(uint64_t value);

  std::string text_;
};

// One field of a message.
struct WireField {
  int number = 0;
  uint64_t integer = 0;    // of a varint or of a fixed width: the bits
  std::string_view bytes;  // of what has a length

  double real() const;
  float single() const;
};

// The fields of a message in their order; none where it is no whole message.
std::optional<std::vector<WireField>> wire_fields(std::string_view message);

}  // namespace vitrine
