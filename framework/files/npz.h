#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/files/npy.h"
#include "framework/files/zip.h"

namespace vitrine {

// The arrays in a file that NumPy's savez or savez_compressed has written: a zip archive of NumPy
// files. Throws Error(kData), which begins with the file's name, as ZipFile and parse_npy do.
class NpzFile {
 public:
  explicit NpzFile(const std::string& path) : NpzFile(ZipFile(path), path) {}
  NpzFile(ZipFile zip, std::string name);

  // Without the .npy that they have in the archive.
  const std::vector<std::string>& names() const { return names_; }
  // Of an array, by its number.
  NpyHeader header(size_t index) const;
  NpyArray read(size_t index) const;
  // "FILE: NAME"
  std::string place(size_t index) const;

 private:
  ZipFile zip_;
  std::string name_;
  std::vector<std::string> names_;
  std::vector<size_t> entries_;  // in the archive
};

}  // namespace vitrine
