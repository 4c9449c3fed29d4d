#include "framework/files/idx.h"

#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

std::string idx(const std::string& magic, const std::vector<uint32_t>& shape,
                const std::string& data) {
  std::string out = magic;
  for (const uint32_t size : shape) {
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift);
  }
  return out + data;
}

std::string magic(char type, char rank) { return {0, 0, type, rank}; }

std::string failure(const std::string& bytes) {
  return message_of(ExitCode::kData, [&] { parse_idx(bytes, "images"); });
}

TEST_CASE("parse_idx reads every rank from 1 to 4") {
  const std::string data("\0\1\2\3\4\5\6\377", 8);
  const std::vector<std::vector<uint32_t>> shapes{{8}, {2, 4}, {2, 2, 2}, {1, 2, 2, 2}};
  for (const auto& shape : shapes) {
    const IdxArray array = parse_idx(idx(magic(8, char(shape.size())), shape, data), "images");
    CHECK(array.shape == std::vector<int64_t>(shape.begin(), shape.end()));
    CHECK(array.bytes == data);
  }
  const IdxArray empty = parse_idx(idx(magic(8, 2), {0, 28}, ""), "images");
  CHECK(empty.shape == std::vector<int64_t>{0, 28});
  CHECK(empty.bytes.empty());
}

TEST_CASE("parse_idx refuses a wrong header, each fault in its own words") {
  CHECK(failure("") == "images: truncated: 0 bytes, an IDX file begins with 4");
  CHECK(failure("\x1f\x8b\x08") == "images: truncated: 3 bytes, an IDX file begins with 4");
  CHECK(failure("\x1f\x8b\x08\x03") ==
        "images: not an IDX file: it begins with 1f 8b, not with 00 00");
  CHECK(failure(idx(magic(0x0d, 1), {1}, "x")) ==
        "images: IDX element type 0x0d is not supported, only 0x08 (unsigned byte)");
  CHECK(failure(idx(magic(8, 0), {}, "")) == "images: IDX rank 0 is not supported, only 1 to 4");
  CHECK(failure(idx(magic(8, 5), {1, 1, 1, 1, 1}, "x")) ==
        "images: IDX rank 5 is not supported, only 1 to 4");
  CHECK(failure(idx(magic(8, char(255)), {1}, "x")) ==
        "images: IDX rank 255 is not supported, only 1 to 4");
  CHECK(failure(idx(magic(8, 3), {1, 1}, "abc")) ==
        "images: truncated: 15 bytes, the IDX header has 16");
}

TEST_CASE("parse_idx refuses data that does not fit the shape") {
  CHECK(failure(idx(magic(8, 2), {2, 2}, "abc")) ==
        "images: truncated: shape [2, 2] needs 4 bytes, the file has 3");
  CHECK(failure(idx(magic(8, 2), {2, 2}, "abcde")) ==
        "images: too long: shape [2, 2] needs 4 bytes, the file has 5");
  CHECK(failure(idx(magic(8, 1), {0xffffffff}, "abc")) ==
        "images: truncated: shape [4294967295] needs 4294967295 bytes, the file has 3");
}

TEST_CASE("parse_idx is not fooled by a product that wraps to a small number") {
  CHECK(failure(idx(magic(8, 4), {0x10000, 0x10000, 0x10000, 0x10000}, "")) ==
        "images: IDX shape [65536, 65536, 65536, 65536] is too large");
}

TEST_CASE("parse_idx reads ints, where they are asked for") {
  const std::string data("\0\0\1\2\xff\xff\xff\xfe", 8);
  const std::string bytes = idx(magic(0x0c, 2), {2, 1}, data);
  const IdxArray array = parse_idx(bytes, "labels", IdxType::kInt);
  CHECK(array.shape == std::vector<int64_t>{2, 1});
  CHECK(idx_ints(array) == std::vector<int64_t>{258, -2});
  CHECK(failure(bytes) ==
        "images: IDX element type 0x0c is not supported, only 0x08 (unsigned byte)");
  const auto failure_of_ints = [](const std::string& file) {
    return message_of(ExitCode::kData, [&] { parse_idx(file, "labels", IdxType::kInt); });
  };
  CHECK(failure_of_ints(idx(magic(8, 1), {1}, "x")) ==
        "labels: IDX element type 0x08 is not supported, only 0x0c (int)");
  CHECK(failure_of_ints(idx(magic(0x0c, 1), {2}, "1234567")) ==
        "labels: truncated: shape [2] needs 8 bytes, the file has 7");
  CHECK(failure_of_ints(idx(magic(0x0c, 4), {0x10000, 0x10000, 0x10000, 0x4000}, "")) ==
        "labels: IDX shape [65536, 65536, 65536, 16384] is too large");
}

TEST_CASE("parse_idx escapes the name") {
  CHECK(message_of(ExitCode::kData, [] { parse_idx("", "\x1b[1m"); }) ==
        "\\x1b[1m: truncated: 0 bytes, an IDX file begins with 4");
}

}  // namespace
}  // namespace vitrine
