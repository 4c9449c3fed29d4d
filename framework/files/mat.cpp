#include "framework/files/mat.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <optional>

#include "framework/error.h"

namespace vitrine {
namespace {

constexpr uint32_t kMatMatrix = 14, kMatCompressed = 15;
constexpr uint32_t kMatFirstNumeric = 6, kMatLastNumeric = 15;  // classes: double to uint64

template <class T>
T mat_value(std::string_view bytes, size_t at) {
  T out;
  std::memcpy(&out, bytes.data() + at, sizeof(T));
  return out;
}

struct MatElement {
  uint32_t type = 0;
  std::string_view data;
};

// The elements of a file, or of a matrix.
class MatElements {
 public:
  MatElements(std::string_view bytes, std::string_view name) : rest_(bytes), name_(name) {}

  bool ended() const { return rest_.empty(); }

  MatElement next() {
    if (rest_.size() < 8) truncated();
    const auto tag = mat_value<uint32_t>(rest_, 0);
    if (const uint32_t size = tag >> 16; size > 0) {  // a small one: type and size in four bytes
      if (size > 4) truncated();
      const MatElement out = {tag & 0xffff, rest_.substr(4, size)};
      rest_.remove_prefix(8);
      return out;
    }
    const size_t size = mat_value<uint32_t>(rest_, 4);
    if (size > rest_.size() - 8) truncated();
    const MatElement out = {tag, rest_.substr(8, size)};
    // Compressed ones are not padded.
    const size_t padded = tag == kMatCompressed ? size : (size + 7) / 8 * 8;
    rest_.remove_prefix(std::min(rest_.size(), 8 + padded));
    return out;
  }
  [[noreturn]] void truncated() const { refuse_data(name_, "the MATLAB file is truncated"); }

 private:
  std::string_view rest_, name_;
};

// Up to `limit` bytes; all of them where they are no more.
std::string mat_inflated(std::string_view bytes, uint64_t limit, std::string_view name) {
  z_stream stream = {};
  if (inflateInit(&stream) != Z_OK) throw std::bad_alloc();
  struct End {
    z_stream* it;
    ~End() { inflateEnd(it); }
  } const end{&stream};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());  // an element's size has 32 bits
  std::string out;
  for (int status = Z_OK; status != Z_STREAM_END && out.size() < limit;) {
    const size_t before = out.size();
    const size_t step =
        std::min<uint64_t>(limit - before, std::clamp<size_t>(before, 1 << 12, 1 << 28));
    out.resize(before + step);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(step);
    status = inflate(&stream, Z_NO_FLUSH);
    out.resize(before + step - stream.avail_out);
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    if (status != Z_OK && status != Z_STREAM_END)
      refuse_data(name, "the MATLAB file is damaged: an array does not inflate");
  }
  return out;
}

// A matrix: its flags, dimensions, name and, where they are wanted, elements.
std::optional<MatArray> read_matrix(std::string_view matrix, std::string_view wanted,
                                    std::string_view name) {
  MatElements parts(matrix, name);
  const MatElement flags = parts.next(), dimensions = parts.next(), called = parts.next();
  if (called.data != wanted) return std::nullopt;
  if (flags.data.size() < 4) parts.truncated();
  const auto flag = mat_value<uint32_t>(flags.data, 0);
  const uint32_t kind = flag & 0xff;
  const bool is_complex = flag & 0x800;
  const MatElement elements = parts.next();
  MatArray out;
  if (kind < kMatFirstNumeric || kind > kMatLastNumeric || is_complex || elements.type < 1 ||
      elements.type > 9 || elements.type == 8) {
    refuse_data(name, fmt::format("{} is no array of real numbers", escape(wanted)));
  }
  out.type = static_cast<MatArray::Type>(elements.type);
  auto count = static_cast<uint64_t>(out.item());
  for (size_t i = 0; i + 4 <= dimensions.data.size(); i += 4) {
    const auto size = mat_value<int32_t>(dimensions.data, i);
    out.shape.push_back(size);
    if (size < 0 || __builtin_mul_overflow(count, static_cast<uint64_t>(size), &count))
      refuse_data(name, fmt::format("{} has no dimensions", escape(wanted)));
  }
  if (out.shape.size() < 2 || count != elements.data.size()) {
    refuse_data(name, fmt::format("{} has {} bytes, its dimensions need {}", escape(wanted),
                                  elements.data.size(), count));
  }
  out.bytes = elements.data;
  return out;
}

template <class T>
int64_t mat_number(const MatArray& array, size_t index, std::string_view name) {
  const T value = mat_value<T>(array.bytes, index * sizeof(T));
  if constexpr (std::is_floating_point_v<T>) {
    constexpr T kMost = T{1} * (1 << 24);
    if (!(value == std::trunc(value) && std::abs(value) <= kMost))
      refuse_data(name, fmt::format("{} is no whole number", value));
  }
  return static_cast<int64_t>(value);
}

}  // namespace

int64_t MatArray::item() const {
  switch (type) {
    case Type::kInt8:
    case Type::kUInt8:
      return 1;
    case Type::kInt16:
    case Type::kUInt16:
      return 2;
    case Type::kDouble:
      return 8;
    default:
      return 4;
  }
}

MatArray read_mat(std::string_view bytes, std::string_view wanted, uint64_t limit,
                  std::string_view name) {
  constexpr size_t kHeader = 128;
  if (bytes.starts_with("\x89HDF") || bytes.starts_with("MATLAB 7.3"))
    refuse_data(name, "a MATLAB file of version 7.3, which is HDF5, is not read");
  if (bytes.size() < kHeader || bytes.substr(124, 4) != std::string_view("\0\1IM", 4))
    refuse_data(name, "not a MATLAB file of the versions 5 to 7.2");
  for (MatElements file(bytes.substr(kHeader), name); !file.ended();) {
    MatElement element = file.next();
    std::string inflated;
    if (element.type == kMatCompressed) {
      inflated = mat_inflated(element.data, limit, name);
      if (inflated.size() >= limit)
        refuse_data(name, fmt::format("an array inflates to more than {} bytes", limit));
      element = MatElements(inflated, name).next();
    }
    if (element.type != kMatMatrix) continue;
    if (auto array = read_matrix(element.data, wanted, name)) return *std::move(array);
  }
  refuse_data(name, fmt::format("has no array {}", escape(wanted)));
}

std::vector<int64_t> mat_numbers(const MatArray& array, std::string_view name) {
  using Type = MatArray::Type;
  std::vector<int64_t> out;
  for (size_t i = 0; i < array.bytes.size() / static_cast<size_t>(array.item()); ++i) {
    switch (array.type) {
      case Type::kInt8:
        out.push_back(mat_number<int8_t>(array, i, name));
        break;
      case Type::kUInt8:
        out.push_back(mat_number<uint8_t>(array, i, name));
        break;
      case Type::kInt16:
        out.push_back(mat_number<int16_t>(array, i, name));
        break;
      case Type::kUInt16:
        out.push_back(mat_number<uint16_t>(array, i, name));
        break;
      case Type::kInt32:
        out.push_back(mat_number<int32_t>(array, i, name));
        break;
      case Type::kUInt32:
        out.push_back(mat_number<uint32_t>(array, i, name));
        break;
      case Type::kFloat:
        out.push_back(mat_number<float>(array, i, name));
        break;
      case Type::kDouble:
        out.push_back(mat_number<double>(array, i, name));
        break;
    }
  }
  return out;
}

}  // namespace vitrine
