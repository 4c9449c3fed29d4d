#include "framework/files/mat.h"

#include <zlib.h>

#include <cstring>

#include "tests/framework/files/support.h"

namespace vitrine {
namespace {

template <class T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), sizeof(T) * values.size()};
}

std::string element(uint32_t type, const std::string& data) {
  return raw<uint32_t>({type, static_cast<uint32_t>(data.size())}) + data +
         std::string((8 - data.size() % 8) % 8, '\0');
}
std::string small_element(uint32_t type, const std::string& data) {
  return raw<uint32_t>({type | static_cast<uint32_t>(data.size()) << 16}) + data +
         std::string(4 - data.size(), '\0');
}
std::string matrix(const std::string& name, const std::vector<int32_t>& shape,
                   const std::string& elements, uint32_t kind = 6) {
  return element(14,
                 element(6, raw<uint32_t>({kind, 0})) + element(5, raw(shape)) + name + elements);
}
std::string compressed(const std::string& bytes) {
  std::string out(compressBound(bytes.size()), '\0');
  uLongf size = out.size();
  compress(reinterpret_cast<Bytef*>(out.data()), &size,
           reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  out.resize(size);
  return raw<uint32_t>({15, static_cast<uint32_t>(size)}) + out;
}
std::string file(const std::string& elements) {
  return std::string(124, ' ') + std::string("\0\1IM", 4) + elements;
}

const std::string kX = element(1, "X"), kY = small_element(1, "y");

std::string failure(const std::string& bytes, uint64_t limit = 1 << 20) {
  return message_of(ExitCode::kData,
                    [&] { mat_numbers(read_mat(bytes, "y", limit, "a.mat"), "a.mat"); });
}

TEST_CASE("an array is read, packed or not, whatever its elements are stored as") {
  const std::string bytes = file(compressed(matrix(kX, {2, 3}, element(2, "abcdef"), 9)) +
                                 matrix(kY, {2, 1}, small_element(2, "\1\12")));
  const MatArray x = read_mat(bytes, "X", 1000, "a.mat"), y = read_mat(bytes, "y", 1000, "a.mat");
  CHECK(x.type == MatArray::Type::kUInt8);
  CHECK(x.shape == std::vector<int64_t>{2, 3});
  CHECK(x.bytes == "abcdef");
  CHECK(mat_numbers(y, "a.mat") == std::vector<int64_t>{1, 10});
  const auto numbers = [](const std::string& elements) {
    return mat_numbers(read_mat(file(matrix(kY, {1, 2}, elements)), "y", 1000, "a.mat"), "a.mat");
  };
  const std::vector<int64_t> expected = {3, 7};
  CHECK(numbers(small_element(1, raw<int8_t>({3, 7}))) == expected);
  CHECK(numbers(small_element(3, raw<int16_t>({3, 7}))) == expected);
  CHECK(numbers(small_element(4, raw<uint16_t>({3, 7}))) == expected);
  CHECK(numbers(element(5, raw<int32_t>({3, 7}))) == expected);
  CHECK(numbers(element(6, raw<uint32_t>({3, 7}))) == expected);
  CHECK(numbers(element(7, raw<float>({3, 7}))) == expected);
  CHECK(numbers(element(9, raw<double>({3, 7}))) == expected);
}

TEST_CASE("what is no such file or array is refused, each in its own words") {
  const std::string elements = small_element(2, "\1\2");
  CHECK(failure("\x89HDF\r\n") ==
        "a.mat: a MATLAB file of version 7.3, which is HDF5, is not read");
  CHECK(failure("text") == "a.mat: not a MATLAB file of the versions 5 to 7.2");
  CHECK(failure(file("")) == "a.mat: has no array y");
  CHECK(failure(file(matrix(kX, {1, 2}, elements))) == "a.mat: has no array y");
  CHECK(failure(file(matrix(kY, {1, 3}, elements))) ==
        "a.mat: y has 2 bytes, its dimensions need 3");
  CHECK(failure(file(matrix(kY, {1, -2}, elements))) == "a.mat: y has no dimensions");
  CHECK(failure(file(matrix(kY, {1, 2}, elements, 1))) == "a.mat: y is no array of real numbers");
  CHECK(failure(file(matrix(kY, {1, 2}, elements, 0x806))) ==
        "a.mat: y is no array of real numbers");
  CHECK(failure(file(matrix(kY, {1, 1}, element(9, raw<double>({0.5}))))) ==
        "a.mat: 0.5 is no whole number");
  const std::string whole = file(matrix(kY, {1, 2}, elements));
  for (size_t length = 130; length < whole.size(); ++length)
    CHECK(failure(whole.substr(0, length)) == "a.mat: the MATLAB file is truncated");
  std::string damaged = file(compressed(matrix(kY, {1, 2}, elements)));
  damaged[140] ^= 0x55;
  CHECK(failure(damaged) != "(no error)");
  CHECK(failure(file(compressed(std::string(100'000, '\0'))), 1000) ==
        "a.mat: an array inflates to more than 1000 bytes");
}

}  // namespace
}  // namespace vitrine
