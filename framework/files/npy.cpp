#include "framework/files/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "framework/error.h"

namespace vitrine {
namespace {

constexpr size_t kMostDimensions = 32;

// The header's text: a Python dictionary of a text, a truth value and a tuple of whole numbers.
class NpyDictionary {
 public:
  NpyDictionary(std::string_view text, std::string_view name) : rest_(text), name_(name) {}

  void read(NpyHeader& header) {
    expect('{');
    while (!skip('}')) {
      const std::string_view key = text();
      expect(':');
      if (key == "descr") {
        descr_ = type();
      } else if (key == "fortran_order") {
        header.is_fortran = truth();
      } else if (key == "shape") {
        header.shape = tuple();
      } else {
        fail(fmt::format("its header has the key {}", escape(key)));
      }
      has_ += key.substr(0, 1);
      if (!skip(',') && next() != '}') malformed();
    }
    std::sort(has_.begin(), has_.end());
    if (has_ != "dfs" || next() != '\0') malformed();
  }

  std::string_view descr() const { return descr_; }
  [[noreturn]] void fail(const std::string& problem) const { refuse_data(name_, problem); }

 private:
  [[noreturn]] void malformed() const { fail("its header is not that of a NumPy file"); }

  // The next character that is no space; NUL at the end.
  char next() {
    const size_t at = rest_.find_first_not_of(" \t\n\r");
    rest_.remove_prefix(std::min(at, rest_.size()));
    return rest_.empty() ? '\0' : rest_[0];
  }
  bool skip(char wanted) {
    if (next() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char wanted) {
    if (!skip(wanted)) malformed();
  }

  std::string_view text() {
    const char quote = next();
    if (quote != '\'' && quote != '"') malformed();
    const size_t end = rest_.find(quote, 1);
    if (end == rest_.npos) malformed();
    const std::string_view out = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return out;
  }

  std::string_view type() {
    if (next() == '[')
      fail("its elements are records (a structured type): one array a file is read");
    return text();
  }

  bool truth() {
    next();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (!rest_.starts_with(word)) continue;
      rest_.remove_prefix(word.size());
      return value;
    }
    malformed();
  }

  std::vector<int64_t> tuple() {
    std::vector<int64_t> out;
    expect('(');
    while (!skip(')')) {
      next();
      int64_t value = 0;
      const auto [end, problem] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
      if (problem != std::errc() || value < 0) malformed();
      rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
      skip('L');  // of Python 2
      out.push_back(value);
      if (out.size() > kMostDimensions) fail("it has more than 32 dimensions");
      if (!skip(',') && next() != ')') malformed();
    }
    return out;
  }

  std::string_view rest_, name_;
  std::string_view descr_;
  std::string has_;  // first letters of the keys
};

// "<f4": byte order, kind, bytes.
void read_type(const NpyDictionary& dictionary, NpyHeader& header) {
  const std::string_view descr = dictionary.descr();
  const auto fail = [&](const std::string& why) {
    dictionary.fail(fmt::format("its elements are of the type \"{}\"{}", escape(descr), why));
  };
  if (descr.find('O') != descr.npos)
    fail(": Python objects, which are not read, since that would run code of the file");
  if (descr.size() != 3 || std::string_view("<>|=").find(descr[0]) == descr.npos)
    fail("; bool, integers and floating-point numbers are read");
  const std::string_view kinds = "biuf";
  const size_t kind = kinds.find(descr[1]);
  header.item = descr[2] - '0';
  const bool has_size =
      header.item == 1 || header.item == 2 || header.item == 4 || header.item == 8;
  if (kind == kinds.npos || !has_size || (kind == 0 && header.item != 1) ||
      (kind == 3 && header.item == 1)) {
    fail("; bool, integers and floating-point numbers are read");
  }
  header.kind = static_cast<NpyHeader::Kind>(kind);
  header.is_big_endian = descr[0] == '>' && header.item > 1;
}

uint64_t little_endian(std::string_view bytes) {
  uint64_t out = 0;
  for (size_t i = bytes.size(); i-- > 0;) out = out << 8 | static_cast<unsigned char>(bytes[i]);
  return out;
}

// Elements of Item bytes from column-major to row-major order.
template <size_t Item>
void to_row_major(const std::vector<int64_t>& shape, const char* from, char* out, uint64_t count) {
  std::vector<uint64_t> strides, index(shape.size());
  uint64_t stride = 1;
  for (const int64_t size : shape) {
    strides.push_back(stride);
    stride *= static_cast<uint64_t>(size);
  }
  uint64_t at = 0;
  for (uint64_t i = 0; i < count; ++i) {
    std::memcpy(out + i * Item, from + at * Item, Item);
    for (size_t d = shape.size(); d-- > 0;) {
      at += strides[d];
      if (++index[d] < static_cast<uint64_t>(shape[d])) break;
      at -= strides[d] * index[d];
      index[d] = 0;
    }
  }
}

std::string row_major(const NpyArray& array) {
  const uint64_t size = array.bytes.size() - array.header.offset;
  std::string out(size, '\0');
  const auto move = array.header.item == 1   ? to_row_major<1>
                    : array.header.item == 2 ? to_row_major<2>
                    : array.header.item == 4 ? to_row_major<4>
                                             : to_row_major<8>;
  move(array.header.shape, array.data(), out.data(),
       size / static_cast<uint64_t>(array.header.item));
  return out;
}

void swap_bytes(char* data, uint64_t size, int64_t item) {
  for (uint64_t i = 0; i < size; i += static_cast<uint64_t>(item))
    std::reverse(data + i, data + i + item);
}

}  // namespace

std::string NpyHeader::type() const {
  constexpr const char* kNames[] = {"bool", "int", "uint", "float"};
  const std::string name = kNames[static_cast<size_t>(kind)];
  return kind == Kind::kBool ? name : name + std::to_string(8 * item);
}

NpyHeader parse_npy_header(std::string_view start, uint64_t size, std::string_view name) {
  if (!start.starts_with("\x93NUMPY"))
    refuse_data(name, "not a NumPy file: it does not begin with \\x93NUMPY");
  if (start.size() < 12) refuse_data(name, "truncated: it ends within its header");
  const auto version = static_cast<unsigned char>(start[6]);
  if (version < 1 || version > 3)
    refuse_data(name, fmt::format("NumPy's format {} is not known, only 1 to 3", version));
  const size_t width = version == 1 ? 2 : 4;
  NpyHeader header;
  header.offset = 8 + width + little_endian(start.substr(8, width));
  if (header.offset > kNpyStart)
    refuse_data(name, fmt::format("its header has {} bytes: too many", header.offset));
  if (header.offset > size || header.offset > start.size())
    refuse_data(name, "truncated: it ends within its header");
  NpyDictionary dictionary(start.substr(8 + width, header.offset - 8 - width), name);
  dictionary.read(header);
  read_type(dictionary, header);
  auto bytes = static_cast<uint64_t>(header.item);
  for (const int64_t each : header.shape) {
    if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(each), &bytes))
      refuse_data(name, fmt::format("its shape [{}] is too large", fmt::join(header.shape, ", ")));
  }
  if (size - header.offset != bytes) {
    refuse_data(name,
                fmt::format("{}: {} [{}] needs {} bytes, the file has {}",
                            size - header.offset < bytes ? "truncated" : "too long", header.type(),
                            fmt::join(header.shape, ", "), bytes, size - header.offset));
  }
  return header;
}

NpyArray parse_npy(std::string bytes, std::string_view name) {
  NpyArray array;
  array.header = parse_npy_header(std::string_view(bytes).substr(0, kNpyStart), bytes.size(), name);
  array.bytes = std::move(bytes);
  NpyHeader& header = array.header;
  if (header.is_big_endian != (std::endian::native == std::endian::big) && header.item > 1)
    swap_bytes(array.data(), array.bytes.size() - header.offset, header.item);
  if (header.is_fortran && header.shape.size() > 1 && array.bytes.size() > header.offset) {
    array.bytes = row_major(array);
    header.offset = 0;
  }
  header.is_fortran = false;
  header.is_big_endian = std::endian::native == std::endian::big;
  return array;
}

}  // namespace vitrine
