#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

namespace vitrine {

template <class T>
std::string bytes_of(std::initializer_list<T> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(T)};
}

// A NumPy file with this text in its header, as numpy.save pads it.
inline std::string npy_of(const std::string& dictionary, const std::string& data,
                          char version = 1) {
  std::string header = dictionary;
  const size_t before = version == 1 ? 10 : 12;
  header.append(63 - (before + header.size()) % 64, ' ');
  header += '\n';
  std::string out = "\x93NUMPY" + std::string{version, 0};
  for (size_t i = 0; i < before - 8; ++i) out += static_cast<char>(header.size() >> 8 * i);
  return out + header + data;
}

// `shape` as Python writes it: "(2, 3)".
inline std::string npy(const std::string& type, const std::string& shape, const std::string& data,
                       bool is_fortran = false) {
  return npy_of("{'descr': '" + type + "', 'fortran_order': " + (is_fortran ? "True" : "False") +
                    ", 'shape': " + shape + ", }",
                data);
}

}  // namespace vitrine
